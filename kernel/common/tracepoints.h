/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The places in the kernel where events come from: the tracepoints, one program each. Both BPF probes are
 * made of these; they differ in how a program may look at what the tracepoint hands it (AT_TRACEPOINT, REG)
 * and in the ring that submit_event() puts the event in, which each probe supplies.
 */
#ifndef TIERCEL_KERNEL_COMMON_TRACEPOINTS_H
#define TIERCEL_KERNEL_COMMON_TRACEPOINTS_H

#include "kernel/common/bpf_maps.h"
#include "kernel/common/dispatch.h"
#include "kernel/common/syscalls.h"

#include <bpf/bpf_tracing.h>

#define MESSAGES_MAX 16 /* of one sendmmsg or recvmmsg that become events of their own */

static __always_inline int is_self(void)
{
    return bpf_get_current_pid_tgid() >> 32 == tc_config.self_tgid;
}

/* One event, whose captures read what was set in `c`; `ctx` is the program's. */
#define EMIT(capture, c, cpu, slot, event, tid) \
    do {                                        \
        (c)->index = (event);                   \
        capture(slot, tid);                     \
        submit_event(ctx, c, cpu);              \
    } while (0)

/* sendmmsg and recvmmsg give an event for each message, the second and later ones from here. */
struct messages {
    void *ctx;
    __u32 slot;
};

STEP int message_step(__u32 k, void *context)
{
    struct messages *m = context;
    struct capture *c = capture_at(m->slot);
    void *ctx = m->ctx;

    if (!c || k + 1 >= c->ret)
        return 1;
    c->message = k + 1;
    EMIT(capture_syscall_event, c, bpf_get_smp_processor_id(), m->slot, c->index,
         (__u32)bpf_get_current_pid_tgid());
    return 0;
}

static __always_inline void fill_from_call(struct capture *c, const struct pt_regs *regs,
                                           const struct call *call)
{
    read_arguments(c, REGISTERS(c->tmp, regs), call->ia32);
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
    if (call.index == INDEX_SOCKET_SENDMMSG_X || call.index == INDEX_SOCKET_RECVMMSG_X) {
        struct messages messages = {.ctx = ctx, .slot = slot};

        REPEAT(MESSAGES_MAX - 1, message_step, &messages);
    }
    release_capture(c);
    return 0;
}

/* kernel/entry/common.c: trace_sys_exit(regs, ret) */
AT_TRACEPOINT("sys_exit")
int sys_exit(__u64 *ctx)
{
    if (is_unwanted((const struct pt_regs *)ctx[0]))
        return 0;
    return syscall_done(ctx);
}

/* --- life of processes: always attached, because the analyzer's process table lives on them ------ */

/* The registers with which `task`, which is current, entered the kernel, copied to `out`. */
static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
#ifndef TIERCEL_CLASSIC /* the helper gives a typed pointer, so the kernel must have BTF */
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs___t)) {
        struct task_struct *self = (struct task_struct *)bpf_get_current_task_btf();

        return read_kernel(out, sizeof(*out), (void *)bpf_task_pt_regs(self));
    }
#endif
    return read_stack_top(out, (char *)READ(task, stack) + KERNEL_STACK_BYTES);
}

/* The syscall that current is in, whether or not anyone wants it. */
static __always_inline void enclosing_call(struct capture *c, __u16 fallback)
{
    struct pt_regs *regs = (struct pt_regs *)c->tmp;
    struct call call = {};

    c->index = fallback;
    c->compat = 0;
    c->args[0] = 0;
    if (entry_registers(regs, c->task))
        return;
    identify_call(&call, regs, c->task);
    fill_from_call(c, regs, &call);
}

/* fs/exec.c: trace_sched_process_exec(current, old_pid, bprm), when the new program is in place. */
AT_TRACEPOINT("sched_process_exec")
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
AT_TRACEPOINT("sched_process_fork")
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
AT_TRACEPOINT("sched_process_exit")
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
AT_TRACEPOINT("signal_deliver")
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
AT_TRACEPOINT("sched_switch")
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

static __always_inline int page_fault(void *ctx, __u64 address, const struct pt_regs *regs, __u64 error)
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
    c->ret = REG(regs, ip);
    EMIT(capture_trace_event, c, cpu, slot, INDEX_PAGE_FAULT_E, (__u32)bpf_get_current_pid_tgid());
    release_capture(c);
    return 0;
}

/* arch/x86/mm/fault.c: trace_page_fault_{user,kernel}(address, regs, error_code) */
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
