/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Puts the ptrace driver's events together by the same interpreter of the same table as the probes.
 * A parameter that a tracer cannot know has no value.
 */
#include "ptrace/interpreter.h"

#include "kernel/common/capture.h"

static struct capture scratch; /* the only one: captures do not nest here */
static __always_inline struct capture* capture_at(__u32 slot) {
    return &scratch;
}
#include "kernel/common/iterators.h"
#include "kernel/common/prefilter.h"
#include "kernel/common/received.h"
#include "kernel/common/syscalls.h"
#include "kernel/common/texts.h"

_Static_assert(CALL_TEXTS == ENTRY_TEXTS, "the table has as many");

const volatile struct tiercel_config* tiercel_session_config;

/* --- parameters without a value, as docs/DRIVER-CONTRACT.md lists them --- */

/* Removes the value of parameter `i`, which starts at `at`, from a finished event. */
static void strip_value(struct capture* c, __u32 i, __u32 at) {
    __u16* length = (__u16*)&c->buf[sizeof(struct event_header) + 2 * i];
    struct event_header* header = (struct event_header*)c->buf;

    __builtin_memmove(&c->buf[at], &c->buf[at + *length], c->end - at - *length);
    c->end -= *length;
    *length = 0;
    header->len = c->end;
}

static void strip_capture(struct capture* c, enum tiercel_capture capture) {
    __u32 at = sizeof(struct event_header) + 2 * c->nparams;

    for (__u32 i = 0; i < c->nparams; i++) {
        if (param_of(c->index, i).capture == capture)
            strip_value(c, i, at);
        at += *(__u16*)&c->buf[sizeof(struct event_header) + 2 * i];
    }
}

static void emit_scratch(struct event_sink* sink) {
    sink->take(sink, scratch.buf, scratch.end);
}

/* --- calls --- */

/* Makes the registers with which the call entered, as identify_call() reads them. */
static struct pt_regs registers_of(const struct user_call* call) {
    struct pt_regs regs = {};

#if defined(__TARGET_ARCH_arm64)
    regs.syscallno = call->number;
    regs.orig_x0 = call->args[0];
    for (int i = 0; i < 6; i++)
        regs.regs[i] = call->args[i];
#else
    regs.orig_ax = call->number;
    if (call->abi == CALL_IA32) {
        regs.bx = call->args[0];
        regs.cx = call->args[1];
        regs.dx = call->args[2];
        regs.si = call->args[3];
        regs.di = call->args[4];
        regs.bp = call->args[5];
    } else {
        regs.di = call->args[0];
        regs.si = call->args[1];
        regs.dx = call->args[2];
        regs.r10 = call->args[3];
        regs.r8 = call->args[4];
        regs.r9 = call->args[5];
    }
#endif
    return regs;
}

/* Fills the scratch area from a call of `task`. Returns 0 if the table does not know the call. */
static int fill_call(const struct user_call* user, struct task_struct* task, struct call* call) {
    struct pt_regs regs = registers_of(user);
    struct capture* c = &scratch;

    if (!identify_call(call, &regs, task))
        return 0;
    read_arguments(c->args, &regs, call->ia32);
#ifdef TIERCEL_HAS_IA32
    if (call->indirect)
        read_indirect_arguments(c);
#endif
    c->number = call->number;
    c->scap = call->scap;
    c->compat = call->compat;
    c->index = call->index;
    c->message = 0;
    c->task = task;
    c->saved = 0;
    for (int k = 0; k < ENTRY_TEXTS; k++)
        use_saved(c, tiercel_texts[call->index][k], user->texts[k]);
    return 1;
}

static int is_exec_index(__u16 index) {
    return index == INDEX_SYSCALL_EXECVE_19_X || index == INDEX_SYSCALL_EXECVEAT_X;
}

struct call_class classify_call(const struct user_call* user) {
    struct task_struct* task = objects_begin(0, user->abi == CALL_IA32);
    struct pt_regs regs = registers_of(user);
    struct call_class class = {.texts = {-1, -1}};
    struct call call = {};

    if (!identify_call(&call, &regs, task))
        return class;
    class.wanted = wanted(tiercel_session_config, call.native);
    class.is_exec = is_exec_index(call.index);
    class.names_directory = call.index == INDEX_SYSCALL_EXECVEAT_X;
    class.is_clone = told_elsewhere(call.index, 0) && !class.is_exec;
    for (int k = 0; k < ENTRY_TEXTS; k++)
        class.texts[k] =
            tiercel_texts[call.index][k] == NO_TEXT ? -1 : tiercel_texts[call.index][k];
    return class;
}

int is_life_call(unsigned native_number) {
    return native_number < TIERCEL_SYSCALL_MAX &&
           told_elsewhere(tiercel_native[native_number].index, 0);
}

int native_of_ia32(unsigned number) {
#ifdef TIERCEL_HAS_IA32
    if (number < TIERCEL_SYSCALL_MAX && tiercel_ia32[number].known)
        return tiercel_ia32[number].native;
#endif
    return -1;
}

int native_of_x32(unsigned number) {
#ifdef TIERCEL_HAS_IA32
    if (number < TIERCEL_X32_FIRST)
        return number;
    if (number - TIERCEL_X32_FIRST < TIERCEL_X32_COUNT)
        return tiercel_x32[number - TIERCEL_X32_FIRST];
#endif
    return -1;
}

#define MESSAGES_MAX 16 /* as in kernel/common/sources.h */

/* Emits the events of descriptors that the call in `scratch` has brought. Of several messages, the
 * first one's. Returns 1 if there are any, and the scratch area has to be filled again. */
static int capture_received(struct event_sink* sink) {
    __s32 found[RECEIVED_STEPS];
    int count = 0, tgid = READ(scratch.task, tgid);

    if (!begin_received(0))
        return 0;
    for (int k = 0; k < RECEIVED_STEPS; k++) {
        const __s32 fd = next_received(0);

        if (fd == NO_MORE)
            break;
        if (fd >= 0)
            found[count++] = fd;
    }
    for (int k = 0; k < count; k++)
        capture_descriptor(tgid, found[k], sink);
    return count > 0;
}

void capture_call(int tid, const struct user_call* user, long long result,
                  struct event_sink* sink) {
    struct capture* c = &scratch;
    struct call call = {};

    memory_of(tid);
    if (!fill_call(user, objects_begin(tid, user->abi == CALL_IA32), &call) ||
        !wanted(tiercel_session_config, call.native) || told_elsewhere(call.index, result))
        return;
    c->ret = result;
    if (!passes_filter(0)) {
        sink->filtered(sink);
        return;
    }
    if (tells_descriptors(c, call.index) && capture_received(sink)) {
        fill_call(user, objects_begin(tid, user->abi == CALL_IA32), &call);
        c->ret = result;
    }
    capture_syscall_event(0, tid);
    emit_scratch(sink);
    if (call.index != INDEX_SOCKET_SENDMMSG_X && call.index != INDEX_SOCKET_RECVMMSG_X)
        return;
    for (c->message = 1; c->message < MESSAGES_MAX && c->message < result; c->message++) {
        capture_syscall_event(0, tid);
        emit_scratch(sink);
    }
}

/* --- life of processes --- */

void capture_exec(int tid, const struct user_call* user, const char* filename,
                  struct event_sink* sink) {
    struct linux_binprm binprm = {.filename = filename};
    struct capture* c = &scratch;
    struct call call = {};

    memory_of(tid);
    fill_call(user, objects_begin(tid, user->abi == CALL_IA32), &call);
    c->ret = 0;
    c->compat = 0; /* the memory read from here on is the new program's */
    c->subject = &binprm;
#ifdef TIERCEL_HAS_IA32
    c->index =
        INDEX_SYSCALL_EXECVE_19_X; /* on x86 the new program's registers do not show an execveat */
#else
    c->index = call.index == INDEX_SYSCALL_EXECVEAT_X ? INDEX_SYSCALL_EXECVEAT_X
                                                      : INDEX_SYSCALL_EXECVE_19_X;
#endif
    capture_life_event(0, tid);
    emit_scratch(sink);
}

void capture_clone(int parent, int child, const struct user_call* user, struct event_sink* sink) {
    struct capture* c = &scratch;
    struct call call = {};

    memory_of(parent);
    fill_call(user, objects_begin(child, user->abi == CALL_IA32), &call);
    c->ret = 0;
    c->index = told_elsewhere(call.index, 0) && !is_exec_index(call.index)
                   ? call.index
                   : INDEX_SYSCALL_CLONE_20_X;
    capture_life_event(0, child);
    if (!pidns_start(c->task))
        strip_capture(c, CAPTURE_pidns_start);
    emit_scratch(sink);
}

void capture_exit(int tid, int status, struct event_sink* sink) {
    struct capture* c = &scratch;

    c->task = objects_begin(tid, 0);
    c->extra[0] = status;
    c->index = INDEX_PROCEXIT_1_E;
    capture_trace_event(0, tid);
    if (facts_have_children(tid)) /* the kernel chooses their new parent later */
        strip_capture(c, CAPTURE_exit_reaper);
    emit_scratch(sink);
}

void capture_signal(int tid, int number, int sender, struct event_sink* sink) {
    struct kernel_siginfo info = {.si_signo = number};
    struct capture* c = &scratch;

    info._sifields._kill._pid = sender; /* SIGCHLD has the sender at the same place */
    c->task = objects_begin(tid, 0);
    c->subject = &info;
    c->extra[0] = number;
    c->index = INDEX_SIGNALDELIVER_E;
    capture_trace_event(0, tid);
    if (sender < 0)
        strip_capture(c, CAPTURE_signal_source);
    emit_scratch(sink);
}

/* --- the state before the first event --- */

/* Puts command line or environment from /proc, which also works without the right to read memory.
 */
static int capture_texts(struct capture* c, __u32 i, __u8 capture) {
    unsigned size =
        facts_of_texts((int)c->extra[0], capture == CAPTURE_task_argv ? "cmdline" : "environ",
                       (char*)&c->buf[value_start(c)], TEXT_MAX);

    if (size)
        c->buf[value_start(c) + size - 1] = 0; /* a cut text also ends with NUL */
    return end_value(c, i, size);
}

static __always_inline void put_own_thread_param(__u32 slot, __u32 i, __u8 capture) {
    if (capture == CAPTURE_task_argv || capture == CAPTURE_task_env)
        capture_texts(&scratch, i, capture);
    else
        put_thread_param(slot, i, capture);
}
CAPTURE_EVENT(capture_own_thread_event, put_own_thread_param)

static __u64 iterated_tid(int tgid, int tid) {
    return (__u64)tgid << 32 | (__u32)tid;
}

void capture_thread(int tgid, int tid, struct event_sink* sink) {
    struct capture* c = &scratch;

    memory_of(tid);
    c->task = objects_begin(tid, 0);
    c->ret = 0;
    c->compat = 0;
    c->index = INDEX_ITER_TASK_E;
    c->extra[0] = tid;
    capture_own_thread_event(0, iterated_tid(tgid, tid));
    if (!pidns_start(c->task))
        strip_capture(c, CAPTURE_pidns_start);
    emit_scratch(sink);
}

void capture_descriptor(int tgid, int fd, struct event_sink* sink) {
    struct capture* c = &scratch;
    struct file* file;

    c->task = objects_begin(tgid, 0);
    file = object_file(fd);
    if (!file)
        return;
    c->index = file_event(file);
    if (c->index >= INDEX_COUNT)
        return;
    c->subject = file;
    c->extra[0] = fd;
    capture_file_event(0, iterated_tid(tgid, tgid));
    emit_scratch(sink);
}
