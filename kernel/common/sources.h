/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The sources of events that the kernel drivers share. Each tell_*() sets the members of a claimed scratch
 * area that the event's captures read, and returns the event's index.
 */
#ifndef TIERCEL_KERNEL_COMMON_SOURCES_H
#define TIERCEL_KERNEL_COMMON_SOURCES_H

#include "kernel/common/dispatch.h"
#include "kernel/common/syscalls.h"

#define MESSAGES_MAX 16 /* messages of one sendmmsg or recvmmsg that become events */

static __always_inline void fill_from_call(struct capture *c, const struct pt_regs *regs,
                                           const struct call *call)
{
    read_arguments(c->args, REGISTERS(c->tmp, regs), call->ia32);
    if (call->indirect)
        read_indirect_arguments(c);
    c->number = call->number;
    c->scap = call->scap;
    c->compat = call->compat;
    c->index = call->index;
    c->message = 0;
    c->saved = 0;
}

static __always_inline __u16 tell_syscall(struct capture *c, const struct pt_regs *regs,
                                          const struct call *call, struct task_struct *task, __s64 ret)
{
    fill_from_call(c, regs, call);
    c->task = task;
    c->ret = ret;
    return call->index;
}

static __always_inline int has_messages(__u16 index)
{
    return index == INDEX_SOCKET_SENDMMSG_X || index == INDEX_SOCKET_RECVMMSG_X;
}

/* Fills `c` from the syscall that current is in, wanted or not. */
static __always_inline void enclosing_call(struct capture *c, __u16 fallback)
{
    struct pt_regs *regs = (struct pt_regs *)c->tmp;
    struct call call = {};

    c->index = fallback;
    c->compat = 0;
    c->saved = 0;
    c->args[0] = 0;
    if (entry_registers(regs, c->task))
        return;
    identify_call(&call, regs, c->task);
    fill_from_call(c, regs, &call);
}

/* fs/exec.c: trace_sched_process_exec(current, old_pid, bprm), when the new program is in place. */
static __always_inline __u16 tell_exec(struct capture *c, const struct linux_binprm *binprm)
{
    c->task = this_task();
    enclosing_call(c, INDEX_SYSCALL_EXECVE_19_X);
    c->ret = 0;
    c->compat = 0; /* the memory read from here on is the new program's */
    c->subject = binprm;
    return c->index == INDEX_SYSCALL_EXECVEAT_X ? INDEX_SYSCALL_EXECVEAT_X : INDEX_SYSCALL_EXECVE_19_X;
}

/*
 * kernel/fork.c: trace_sched_process_fork(current, child), before the child first runs. It gives the child's
 * own event (result 0); the exit of the parent's syscall gives the parent's.
 */
static __always_inline __u16 tell_fork(struct capture *c, struct task_struct *child)
{
    c->task = this_task();
    enclosing_call(c, INDEX_SYSCALL_CLONE_20_X);
    c->ret = 0;
    c->task = child;
    return told_elsewhere(c->index, 0) ? c->index : INDEX_SYSCALL_CLONE_20_X;
}

/* kernel/exit.c: trace_sched_process_exit(current), while its memory is still there. */
static __always_inline __u16 tell_exit(struct capture *c, struct task_struct *task)
{
    c->task = task;
    c->extra[0] = READ(task, exit_code);
    return INDEX_PROCEXIT_1_E;
}

/* kernel/signal.c: trace_signal_deliver(signal, info, action) */
static __always_inline __u16 tell_signal(struct capture *c, int number, const void *info)
{
    c->task = this_task();
    c->subject = info;
    c->extra[0] = number;
    return INDEX_SIGNALDELIVER_E;
}

/* kernel/sched/core.c: trace_sched_switch(preempt, prev, next, ...) */
static __always_inline __u16 tell_switch(struct capture *c, struct task_struct *prev,
                                         struct task_struct *next)
{
    c->task = prev;
    c->subject = next;
    return INDEX_SCHEDSWITCH_6_E;
}

#ifdef TIERCEL_HAS_IA32 /* x86 only */
/* Error code bits: arch/x86/include/asm/trap_pf.h. The schema has a flag for either value of a bit. */
static __always_inline __u32 fault_flags(__u64 error)
{
    return (error & 1 ? 1 : 2) | (error & 2 ? 4 : 8) | (error & 4 ? 16 : 32) | MOVE(error, 8, 64) |
           MOVE(error, 16, 128);
}

/* arch/x86/mm/fault.c: trace_page_fault_{user,kernel}(address, regs, error_code) */
static __always_inline __u16 tell_page_fault(struct capture *c, __u64 address, const struct pt_regs *regs,
                                             __u64 error)
{
    c->task = this_task();
    c->extra[0] = address;
    c->extra[1] = fault_flags(error);
    c->ret = REG(regs, ip);
    return INDEX_PAGE_FAULT_E;
}
#endif

#endif
