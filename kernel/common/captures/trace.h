/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The TRACE captures: a tracepoint's own arguments, in c->subject and c->extra. */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_TRACE_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_TRACE_H

#include "kernel/common/capture.h"

#define REAPER_SEARCH 32

struct thread_search {
    struct list_head *head, *node;
    __u64 found; /* thread id; 0: not yet */
};

STEP int thread_step(__u32 k, void *context)
{
    struct thread_search *s = context;
    struct list_head *node = s->node;
    struct task_struct *t;

    if (!node || node == s->head)
        return 1;
    t = (struct task_struct *)((char *)node - FIELD_OFFSET(struct task_struct, thread_node));
    if (!(READ(t, flags) & PF_EXITING)) {
        s->found = READ(t, pid);
        return 1;
    }
    s->node = READ(node, next);
    return 0;
}

/* A thread of the group that is not exiting, as kernel/exit.c, find_alive_thread() finds it. */
NOINLINE int alive_thread(__u64 address)
{
    struct task_struct *task = (struct task_struct *)address;
    struct signal_struct *signal = READ(task, signal);
    struct thread_search s = {.head = ADDRESS_OF(signal, thread_head),
                              .node = READ(signal, thread_head.next)};

    REPEAT(REAPER_SEARCH, thread_step, &s);
    return s.found;
}

struct reaper_search {
    struct task_struct *task, *init;
    __u64 found;
};

STEP int reaper_step(__u32 k, void *context)
{
    struct reaper_search *s = context;
    struct task_struct *task = s->task, *parent = READ(task, real_parent);
    struct signal_struct *signal;

    if (!parent || parent == s->init)
        return 1;
    signal = READ(parent, signal);
    if (BITFIELD(signal, is_child_subreaper)) {
        s->found = alive_thread((__u64)parent);
        if (s->found)
            return 1;
    }
    s->task = parent;
    return 0;
}

/* The new parent of the thread's children (kernel/exit.c, find_new_reaper()). */
static __always_inline __s32 exit_reaper(struct task_struct *task)
{
    struct list_head *children = ADDRESS_OF(task, children);
    struct pid *pid = pid_of(task, PIDTYPE_PID);
    struct reaper_search s = {.task = task};
    struct task_struct *init;
    struct upid innermost = {};

    if (READ(task, children.next) == children)
        return 0;
    s.found = alive_thread((__u64)task);
    if (s.found)
        return s.found;
    read_kernel(&innermost, sizeof(innermost),
                (const char *)pid + FIELD_OFFSET(struct pid, numbers) + READ(pid, level) * sizeof(innermost));
    init = READ(innermost.ns, child_reaper);
    s.init = init;
    REPEAT(REAPER_SEARCH, reaper_step, &s);
    return s.found ? s.found : (__u64)READ(init, pid);
}

/* The sender of a signal, if struct siginfo names it (include/uapi/asm-generic/siginfo.h). */
static __always_inline __s32 signal_source(const struct kernel_siginfo *info, __u32 number)
{
    int code;

    if ((__u64)info <= 2) /* SEND_SIG_NOINFO, SEND_SIG_PRIV */
        return 0;
    code = READ(info, si_code);
    if (number == 17) /* SIGCHLD */
        return READ(info, _sifields._sigchld._pid);
    if (code <= 0) /* SI_USER, SI_TKILL, SI_QUEUE and others that a process sent */
        return READ(info, _sifields._kill._pid);
    return 0;
}

static __always_inline __u64 trace_number(struct capture *c, __u8 capture)
{
    struct task_struct *task = c->task;
    const struct task_struct *next = c->subject;
    __u32 status = c->extra[0];

    switch (capture) {
    case CAPTURE_exit_status: return (__s64)(__s32)status;
    case CAPTURE_exit_ret: return status >> 8 & 0xff;
    case CAPTURE_exit_signal: return (status & 0x7f) == 0x7f ? 0 : status & 0x7f;
    case CAPTURE_exit_core: return (status & 0x80) != 0;
    case CAPTURE_exit_reaper: return exit_reaper(task);
    case CAPTURE_signal_source: return signal_source(c->subject, c->extra[0]);
    case CAPTURE_signal_target: return READ(task, pid);
    case CAPTURE_signal_number: return c->extra[0];
    case CAPTURE_switch_next: return READ(next, pid);
    case CAPTURE_fault_address: return c->extra[0];
    case CAPTURE_fault_ip: return c->ret;
    case CAPTURE_fault_error: return c->extra[1];
    default: return 0;
    }
}

#endif
