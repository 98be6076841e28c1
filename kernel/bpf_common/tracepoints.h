/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * One program for each tracepoint, in both BPF probes. The probes differ in how a program reads the
 * tracepoint's arguments (AT_TRACEPOINT, REG), and in submit_event(), which puts the event into the probe's
 * ring.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_TRACEPOINTS_H
#define TIERCEL_KERNEL_BPF_COMMON_TRACEPOINTS_H

#include "kernel/bpf_common/entry.h"
#include "kernel/bpf_common/maps.h"
#include "kernel/common/iterators.h"
#include "kernel/common/prefilter.h"
#include "kernel/common/received.h"
#include "kernel/bpf_common/uring.h"
#include "kernel/common/sources.h"

#include <bpf/bpf_tracing.h>

/* Puts the finished event of `c` into the probe's ring, or counts it as dropped; each probe defines it. */
static __always_inline void submit_event(void *ctx, struct capture *c, __u32 cpu);

static __always_inline int is_self(void)
{
    return current_ids() >> 32 == tc_config.self_tgid;
}

/* Captures and submits one event from what was set in `c`; `ctx` is the program's. */
#define EMIT(capture, c, cpu, slot, event, tid) \
    do {                                        \
        (c)->index = (event);                   \
        capture(slot, tid);                     \
        submit_event(ctx, c, cpu);              \
    } while (0)

/* Makes a whole event: claims a scratch area `c`, which `tell` fills, and releases it. */
#define TELL(put, tell, tid)                           \
    do {                                               \
        __u32 cpu = bpf_get_smp_processor_id(), slot;  \
        struct capture *c = claim_capture(cpu, &slot); \
                                                       \
        if (c) {                                       \
            EMIT(put, c, cpu, slot, tell, tid);        \
            release_capture(c);                        \
        }                                              \
    } while (0)

/* --- syscalls -------------------------------------------------------------------------------------- */

struct emission {
    void *ctx;
    __u32 slot, index;
};

/*
 * Emits the event of the next descriptor that the call has brought. It is not inlined, because Linux 5.10
 * refuses some of the loops that a compiler makes of it (kernel/bpf/verifier.c, check_cfg()).
 */
static __attribute__((noinline)) int received_step(__u32 k, void *context)
{
    struct emission *e = context;
    struct capture *c = capture_at(e->slot);
    int fd = next_received(e->slot);

    if (!c || fd < 0)
        return !c || fd == NO_MORE;
    if (tell_received(e->slot, fd)) {
        capture_file_event(e->slot, current_ids());
        submit_event(e->ctx, c, bpf_get_smp_processor_id());
    }
    return 0;
}

/* sendmmsg and recvmmsg give one event for each message; this emits the second and later ones. */

STEP int message_step(__u32 k, void *context)
{
    struct emission *m = context;
    struct capture *c = capture_at(m->slot);
    void *ctx = m->ctx;

    if (!c || k + 1 >= c->ret)
        return 1;
    c->message = k + 1;
    EMIT(capture_syscall_event, c, bpf_get_smp_processor_id(), m->slot, m->index, (__u32)current_ids());
    return 0;
}

/*
 * Ends what the thread did through io_uring when it returns from io_uring_enter(), which has one number in
 * every ABI. Returns 1 if the call's own event is not wanted. Call it before syscall_done() and not in it,
 * because the verifier adds up the stacks of functions that call each other.
 */
static __always_inline int uring_entered(void *ctx, const struct pt_regs *regs)
{
    if (!tc_uring.submit_args || syscall_number(regs) != NATIVE_io_uring_enter)
        return 0;
    settle_all(ctx, 0);
    return tc_uring.enter_unasked;
}

/*
 * Captures the exit of a syscall that may be wanted. It is not inlined, so that the common path through
 * is_unwanted() saves no registers.
 */
static __attribute__((noinline)) int syscall_done(void *ctx, const struct pt_regs *regs, __s64 ret)
{
    struct task_struct *task = this_task();
    struct call call = {};
    struct capture *c;
    __u32 cpu, slot;
    __u64 id;

    if (!identify_call(&call, regs, task) || !wanted(&tc_config, call.native) ||
        told_elsewhere(call.index, ret))
        return 0;
    id = current_ids();
    if (id >> 32 == tc_config.self_tgid)
        return 0;
    cpu = bpf_get_smp_processor_id();
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->index = tell_syscall(c, regs, &call, task, ret);
    if (has_entry(call.index))
        use_entry(slot, (__u32)id);
    if (!passes_filter(slot)) {
        release_capture(c);
        count_filtered(cpu);
        return 0;
    }
    if (tells_descriptors(c, call.index) && begin_received(slot)) {
        struct emission emission = {.ctx = ctx, .slot = slot};

        REPEAT(RECEIVED_STEPS, received_step, &emission);
    }
    EMIT(capture_syscall_event, c, cpu, slot, call.index, (__u32)id);
    if (has_messages(call.index)) {
        struct emission messages = {.ctx = ctx, .slot = slot, .index = call.index};

        REPEAT(MESSAGES_MAX - 1, message_step, &messages);
    }
    release_capture(c);
    return 0;
}

/* kernel/entry/common.c: trace_sys_enter(regs, number); attached if the analyzer asks for the kernel's paths
 */
AT_TRACEPOINT("sys_enter")
int sys_enter(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

    return is_unwanted(&tc_config, regs) ? 0 : call_entered(regs);
}

/* kernel/entry/common.c: trace_sys_exit(regs, ret) */
AT_TRACEPOINT("sys_exit")
int sys_exit(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

    if (is_unwanted(&tc_config, regs) || uring_entered(ctx, regs))
        return 0;
    return syscall_done(ctx, regs, ctx[1]);
}

/* --- life of processes: always attached, because the analyzer's process table needs them --------- */

AT_TRACEPOINT("sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    if (!is_self())
        TELL(capture_life_event, tell_exec(c, binprm), (__u32)current_ids());
    return 0;
}

AT_TRACEPOINT("sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
    if (!(READ(child, flags) & PF_KTHREAD || is_self()))
        TELL(capture_life_event, tell_fork(c, child), READ(child, pid));
    return 0;
}

AT_TRACEPOINT("sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
    settle_all(ctx, 1);
    forget_entry(READ(task, pid));
    if (!(READ(task, flags) & PF_KTHREAD || is_self()))
        TELL(capture_trace_event, tell_exit(c, task), READ(task, pid));
    return 0;
}

/* --- other tracepoints: loaded only on request ---------------------------------------------------- */

AT_TRACEPOINT("signal_deliver")
int BPF_PROG(signal_deliver, int number, struct kernel_siginfo *info)
{
    if (!is_self())
        TELL(capture_trace_event, tell_signal(c, number, info), (__u32)current_ids());
    return 0;
}

AT_TRACEPOINT("sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
    if (!(READ(prev, flags) & PF_KTHREAD || READ(prev, tgid) == (int)tc_config.self_tgid))
        TELL(capture_switch_event, tell_switch(c, prev, next), READ(prev, pid));
    return 0;
}

#if defined(__TARGET_ARCH_x86)
static __always_inline int page_fault(void *ctx, __u64 address, const struct pt_regs *regs, __u64 error)
{
    if (!is_self())
        TELL(capture_trace_event, tell_page_fault(c, address, regs, error), (__u32)current_ids());
    return 0;
}

AT_TRACEPOINT("page_fault_user")
int BPF_PROG(page_fault_user, unsigned long address, struct pt_regs *regs, unsigned long error)
{
    return page_fault(ctx, address, regs, error);
}

AT_TRACEPOINT("page_fault_kernel")
int BPF_PROG(page_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long error)
{
    return page_fault(ctx, address, regs, error);
}
#endif

#endif
