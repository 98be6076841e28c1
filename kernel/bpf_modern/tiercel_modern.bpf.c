// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The modern probe: CO-RE, BPF ring buffers, tp_btf tracepoints (or fexit on each wanted syscall where
// the kernel has trampolines), and iterators for what was there before. What an event holds is decided in
// kernel/common/; here are only the places in the kernel where events come from.

#define TIERCEL_BPF
#if defined(__TARGET_ARCH_x86)
#define TIERCEL_HAS_IA32
#endif
#include "kernel/bpf_modern/syscalls.h"
#include "kernel/bpf_modern/iterators.h"
#include "kernel/common/dispatch.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define MESSAGES_MAX 16 /* of one sendmmsg or recvmmsg that become events of their own */

static __always_inline int is_self(void)
{
    return bpf_get_current_pid_tgid() >> 32 == tc_config.self_tgid;
}

/* One event, whose captures read what was set in `c`. */
#define EMIT(capture, c, cpu, slot, event, tid) \
    do {                                        \
        (c)->index = (event);                   \
        capture(slot, tid);                     \
        submit_event(c, cpu);                   \
    } while (0)

/* sendmmsg and recvmmsg give an event for each message, the second and later ones from here. */
STEP int message_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);

    if (!c || k + 1 >= c->ret)
        return 1;
    c->message = k + 1;
    EMIT(capture_syscall_event, c, bpf_get_smp_processor_id(), *(__u32 *)slot, c->index,
         (__u32)bpf_get_current_pid_tgid());
    return 0;
}

static __always_inline void fill_from_call(struct capture *c, const struct pt_regs *regs,
                                           const struct call *call)
{
    read_arguments(c, regs, call->ia32);
    if (call->indirect)
        read_indirect_arguments(c);
    c->number = call->number;
    c->scap = call->scap;
    c->compat = call->compat;
    c->index = call->index;
    c->message = 0;
}

/*
 * The exit of a syscall that may be wanted. Both places where exits are seen have the same context: registers
 * and result. A function of its own, so that what most exits run through, is_unwanted(), saves no registers.
 */
static __attribute__((noinline)) int syscall_done(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];
    __s64 ret = ctx[1];
    struct task_struct *task = current_task();
    struct call call = {};
    struct capture *c;
    __u32 cpu, slot;
    __u64 id;

    if (!identify_call(&call, regs, task) || !wanted(call.native) || told_elsewhere(call.index, ret))
        return 0;
    id = bpf_get_current_pid_tgid();
    if (id >> 32 == tc_config.self_tgid)
        return 0;
    cpu = bpf_get_smp_processor_id();
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    fill_from_call(c, regs, &call);
    c->task = task;
    c->ret = ret;
    EMIT(capture_syscall_event, c, cpu, slot, call.index, (__u32)id);
    if (call.index == INDEX_SOCKET_SENDMMSG_X || call.index == INDEX_SOCKET_RECVMMSG_X)
        REPEAT(MESSAGES_MAX - 1, message_step, &slot);
    release_capture(c);
    return 0;
}

/* kernel/entry/common.c: trace_sys_exit(regs, ret) */
SEC("tp_btf/sys_exit")
int sys_exit(__u64 *ctx)
{
    if (is_unwanted((const struct pt_regs *)ctx[0]))
        return 0;
    return syscall_done(ctx);
}

/* --- per-syscall attachment ------------------------------------------------------------------------ */

/*
 * Where the kernel has trampolines, a syscall nobody asked for need not pass here at all: privd attaches a
 * clone of fexit_syscall to each wanted syscall's function, and leaves the tracepoint alone. The clones are
 * stubs that jump to the one program that captures, so a hundred of them verify in no time. A jump is allowed
 * between functions of the same prototype only (kernel/bpf/core.c, __bpf_prog_map_compatible()), and those
 * that take no argument have another: hence two of each.
 */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} jump SEC(".maps"), jump_noargs SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define FUNCTION_PREFIX "__x64_sys_"
#define NOARGS_PREFIX "__do_sys_" /* of which __x64_sys_ is only another name, which BTF leaves out */
#else
#define FUNCTION_PREFIX "__arm64_sys_"
#define NOARGS_PREFIX FUNCTION_PREFIX
#endif

SEC("fexit/" FUNCTION_PREFIX "close")
int fexit_syscall(void *ctx)
{
    bpf_tail_call(ctx, &jump, 0);
    return 0;
}

SEC("fexit/" NOARGS_PREFIX "getuid")
int fexit_syscall_noargs(void *ctx)
{
    bpf_tail_call(ctx, &jump_noargs, 0);
    return 0;
}

SEC("fexit/" FUNCTION_PREFIX "close")
int fexit_capture(__u64 *ctx)
{
    return syscall_done(ctx);
}

SEC("fexit/" NOARGS_PREFIX "getuid")
int fexit_capture_noargs(__u64 *ctx)
{
    return syscall_done(ctx);
}

/*
 * Which functions those are, for privd: it knows no syscall by name. The part behind the prefix, by native
 * number; empty: no such syscall, or one that does not return where it was called.
 */
#define SYMBOL_BYTES 32
const char syscall_symbols[TIERCEL_SYSCALL_SLOTS]
                          [SYMBOL_BYTES] SEC(".rodata.symbols") = {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#define SYSCALL(name, x86_64, i386, arm64, scap) [SLOT_OF(NATIVE_##name)] = #name,
#define SYSCALL_COMPAT(name, i386, native, scap)
#define SYSCALL_X32(native, x32)
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
#undef SYSCALL_X32
#define RENAMED(name, symbol) [SLOT_OF(NATIVE_##name)] = symbol
                              RENAMED(stat, "newstat"),   RENAMED(lstat, "newlstat"),
                              RENAMED(fstat, "newfstat"), RENAMED(uname, "newuname"),
                              RENAMED(umount2, "umount"), RENAMED(sendfile, "sendfile64"),
                              RENAMED(rt_sigreturn, ""),  RENAMED(exit, ""),
                              RENAMED(exit_group, ""),    [TIERCEL_SYSCALL_MAX] = "",
#pragma GCC diagnostic pop
};

/* --- life of processes: always attached, because the analyzer's process table lives on them ------ */

/* The registers with which `task`, which is current, entered the kernel. */
static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
    struct pt_regs *regs;

    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs___t)) {
        struct task_struct *self = (struct task_struct *)bpf_get_current_task_btf();

        regs = (struct pt_regs *)bpf_task_pt_regs(self);
    } else {
        /* arch/x86/include/asm/processor.h, task_pt_regs(), before there was padding on top */
        regs = (struct pt_regs *)((char *)READ(task, stack) + KERNEL_STACK_BYTES -
                                  bpf_core_type_size(struct pt_regs));
    }
    return read_kernel(out, sizeof(*out), regs);
}

/* The syscall that current is in, whether or not anyone wants it. */
static __always_inline void enclosing_call(struct capture *c, __u16 fallback)
{
    struct pt_regs regs = {};
    struct call call = {};

    c->index = fallback;
    c->compat = 0;
    c->args[0] = 0;
    if (entry_registers(&regs, c->task))
        return;
    identify_call(&call, &regs, c->task);
    fill_from_call(c, &regs, &call);
}

/* fs/exec.c: trace_sched_process_exec(current, old_pid, bprm), when the new program is in place. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;
    __u16 index;

    if (is_self())
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = current_task();
    enclosing_call(c, INDEX_SYSCALL_EXECVE_19_X);
    c->ret = 0;
    c->compat = 0; /* what is read from now on belongs to the new program */
    c->subject = binprm;
    index = c->index == INDEX_SYSCALL_EXECVEAT_X ? INDEX_SYSCALL_EXECVEAT_X : INDEX_SYSCALL_EXECVE_19_X;
    EMIT(capture_life_event, c, cpu, slot, index, (__u32)bpf_get_current_pid_tgid());
    release_capture(c);
    return 0;
}

/*
 * kernel/fork.c: trace_sched_process_fork(current, child), before the child first runs. It gives the
 * child's own event (result 0); the parent's comes with its syscall's exit.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;
    __u16 index;

    if (READ(child, flags) & PF_KTHREAD || is_self())
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = current_task();
    enclosing_call(c, INDEX_SYSCALL_CLONE_20_X);
    c->ret = 0;
    c->task = child;
    index = told_elsewhere(c->index, 0) ? c->index : INDEX_SYSCALL_CLONE_20_X;
    EMIT(capture_life_event, c, cpu, slot, index, READ(child, pid));
    release_capture(c);
    return 0;
}

/* kernel/exit.c: trace_sched_process_exit(current), while its memory is still there. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;

    if (READ(task, flags) & PF_KTHREAD || is_self())
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = task;
    c->extra[0] = READ(task, exit_code);
    EMIT(capture_trace_event, c, cpu, slot, INDEX_PROCEXIT_1_E, READ(task, pid));
    release_capture(c);
    return 0;
}

/* --- other tracepoints: loaded only when asked for ------------------------------------------------ */

/* kernel/signal.c: trace_signal_deliver(signal, info, action) */
SEC("tp_btf/signal_deliver")
int BPF_PROG(signal_deliver, int number, struct kernel_siginfo *info)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;

    if (is_self())
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = current_task();
    c->subject = info;
    c->extra[0] = number;
    EMIT(capture_trace_event, c, cpu, slot, INDEX_SIGNALDELIVER_E, (__u32)bpf_get_current_pid_tgid());
    release_capture(c);
    return 0;
}

/* kernel/sched/core.c: trace_sched_switch(preempt, prev, next, ...) */
SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;

    if (READ(prev, flags) & PF_KTHREAD || READ(prev, tgid) == (int)tc_config.self_tgid)
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = prev;
    c->subject = next;
    EMIT(capture_switch_event, c, cpu, slot, INDEX_SCHEDSWITCH_6_E, READ(prev, pid));
    release_capture(c);
    return 0;
}

#if defined(__TARGET_ARCH_x86)
/* Error code bits: arch/x86/include/asm/trap_pf.h. The schema has a flag for either value of a bit. */
static __always_inline __u32 fault_flags(__u64 error)
{
    return (error & 1 ? 1 : 2) | (error & 2 ? 4 : 8) | (error & 4 ? 16 : 32) | MOVE(error, 8, 64) |
           MOVE(error, 16, 128);
}

static __always_inline int page_fault(__u64 address, const struct pt_regs *regs, __u64 error)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct capture *c;

    if (is_self())
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = current_task();
    c->extra[0] = address;
    c->extra[1] = fault_flags(error);
    c->ret = regs->ip;
    EMIT(capture_trace_event, c, cpu, slot, INDEX_PAGE_FAULT_E, (__u32)bpf_get_current_pid_tgid());
    release_capture(c);
    return 0;
}

/* arch/x86/mm/fault.c: trace_page_fault_{user,kernel}(address, regs, error_code) */
SEC("tp_btf/page_fault_user")
int BPF_PROG(page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long error)
{
    return page_fault(address, regs, error);
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long error)
{
    return page_fault(address, regs, error);
}
#endif

/* --- what was there before ------------------------------------------------------------------------ */

/* kernel/bpf/task_iter.c: one call for each thread, then one with no task at the end. */
static __always_inline void write_event(struct capture *c, struct seq_file *seq)
{
    __u32 len = opaque(c->end);

    if (len <= EVENT_MAX)
        bpf_seq_write(seq, c->buf, len);
}

static __always_inline __u64 iter_tid(struct task_struct *task)
{
    return (__u64)READ(task, tgid) << 32 | (__u32)READ(task, pid);
}

static __always_inline int dump_thread(struct bpf_iter__task *ctx, int may_sleep)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct task_struct *task = ctx->task;
    struct seq_file *seq = ctx->meta->seq;
    struct capture *c;

    if (!task || READ(task, flags) & PF_KTHREAD)
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = task;
    c->ret = 0;
    c->index = INDEX_ITER_TASK_E;
    c->extra[0] = c->extra[1] = 0;
    if (may_sleep) {
        struct mm_struct *mm = READ(task, mm);

        c->extra[0] = stash_memory(c, STASH_ARGV, task, READ(mm, arg_start), READ(mm, arg_end));
        c->extra[1] = stash_memory(c, STASH_ENV, task, READ(mm, env_start), READ(mm, env_end));
    }
    capture_thread_event(slot, iter_tid(task));
    write_event(c, seq);
    release_capture(c);
    return 0;
}

#ifndef TIERCEL_OLD_KERNEL
SEC("iter.s/task")
int dump_task(struct bpf_iter__task *ctx)
{
    return dump_thread(ctx, 1);
}
#endif

/* For kernels before 5.18, which cannot fetch another process's memory: no command line, no environment. */
SEC("iter/task")
int dump_task_nosleep(struct bpf_iter__task *ctx)
{
    return dump_thread(ctx, 0);
}

/* Threads share their process's table: the iterator visits it once, for the thread group leader. */
SEC("iter/task_file")
int dump_task_file(struct bpf_iter__task_file *ctx)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot, index;
    struct task_struct *task = ctx->task;
    struct seq_file *seq = ctx->meta->seq;
    struct file *file = ctx->file;
    struct capture *c;

    if (!task || !file)
        return 0;
    index = file_event(file);
    if (index >= INDEX_COUNT)
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = task;
    c->subject = file;
    c->extra[0] = ctx->fd;
    c->index = index;
    capture_file_event(slot, iter_tid(task));
    write_event(c, seq);
    release_capture(c);
    return 0;
}
