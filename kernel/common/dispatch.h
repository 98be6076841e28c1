/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The capture plan's interpreter: one function for each group of captures, and the loop that runs an
 * event's parameters through them. The functions are global, so that the verifier checks each one once
 * and not once for every parameter and event (kernel/bpf/verifier.c, do_check_subprogs()); that is why
 * they take numbers and look their scratch area up again.
 */
#ifndef TIERCEL_KERNEL_COMMON_DISPATCH_H
#define TIERCEL_KERNEL_COMMON_DISPATCH_H

#include "kernel/common/capture_trace.h"

static __always_inline struct tiercel_param param_of(__u32 index, __u32 i)
{
    const volatile struct tiercel_param *row;
    struct tiercel_param p = {};

    index = opaque(index);
    i = opaque(i);
    if (index >= INDEX_COUNT || i >= TIERCEL_MAX_PARAMS)
        return p;
    row = &tiercel_events[index].params[i];
    p.capture = row->capture;
    p.width = row->width;
    p.arg[0] = row->arg[0];
    p.arg[1] = row->arg[1];
    return p;
}

#define CAPTURE_GROUP(name, body)             \
    NOINLINE int name(__u32 slot, __u32 i)    \
    {                                         \
        struct capture *c = capture_at(slot); \
        struct tiercel_param p;               \
                                              \
        if (!c)                               \
            return 0;                         \
        p = param_of(c->index, i);            \
        (void)p;                              \
        body;                                 \
    }

CAPTURE_GROUP(group_argument, return capture_argument(c, i, p))
CAPTURE_GROUP(group_user, return capture_user(c, i, p))
CAPTURE_GROUP(group_file, return capture_file(c, i, p))
CAPTURE_GROUP(group_sockaddr, return put_sockaddr(c, i, argument(c, p.arg[0]), (__u32)argument(c, p.arg[1])))
CAPTURE_GROUP(group_socket, return capture_socket(c, i, p))
CAPTURE_GROUP(group_message, return capture_message(c, i, p))
CAPTURE_GROUP(group_command, return capture_command(c, i, p))
CAPTURE_GROUP(group_task_number, return put_number(c, i, task_number(c, p.capture), p.width))
CAPTURE_GROUP(group_task_text, return capture_task_text(c, i, p))
CAPTURE_GROUP(group_trace, return put_number(c, i, trace_number(c, p.capture), p.width))

/* Captures that depend on another argument, and the name given to exec. */
static __always_inline int put_exec_filename(struct capture *c, __u32 i)
{
    const struct linux_binprm *binprm = c->subject;

    if (c->ret < 0)
        return put_text(c, i, argument(c, 0));
    return put_kernel_text(c, i, READ(binprm, filename), TEXT_MAX);
}

static __always_inline int capture_option(struct capture *c, __u32 i, struct tiercel_param p)
{
    switch (p.capture) {
    case CAPTURE_prctl_text:
    case CAPTURE_prctl_value: return capture_prctl(c, i, p);
    case CAPTURE_keyctl_arg: return capture_keyctl(c, i, p);
    case CAPTURE_fsconfig_key:
    case CAPTURE_fsconfig_bytes:
    case CAPTURE_fsconfig_text: return capture_fsconfig(c, i, p);
    case CAPTURE_sockopt_value:
    case CAPTURE_sockopt_value_at: return capture_sockopt(c, i, p);
    case CAPTURE_ptrace_data: return capture_ptrace_data(c, i, p);
    default: return capture_quota(c, i, p);
    }
}
CAPTURE_GROUP(group_option, return capture_option(c, i, p))
CAPTURE_GROUP(group_exec_filename, return put_exec_filename(c, i))

/* put_syscall_param() and put_life_param() tell the groups apart by their order in captures.def. */
_Static_assert(CAPTURE_FIRST_ARGUMENT == 0 && CAPTURE_FIRST_ARGUMENT < CAPTURE_FIRST_USER &&
                   CAPTURE_FIRST_USER < CAPTURE_FIRST_OPTION &&
                   CAPTURE_FIRST_OPTION < CAPTURE_FIRST_ADDRESS &&
                   CAPTURE_FIRST_ADDRESS < CAPTURE_FIRST_MESSAGE &&
                   CAPTURE_FIRST_MESSAGE < CAPTURE_FIRST_EXEC_NAME &&
                   CAPTURE_FIRST_EXEC_NAME < CAPTURE_FIRST_FILE &&
                   CAPTURE_FIRST_FILE < CAPTURE_FIRST_SOCKET && CAPTURE_FIRST_SOCKET < CAPTURE_FIRST_TASK &&
                   CAPTURE_FIRST_TASK < CAPTURE_FIRST_TRACE && CAPTURE_FIRST_TRACE < CAPTURE_FIRST_ITER &&
                   CAPTURE_FIRST_ITER < CAPTURE_COUNT,
               "the groups of captures.def are in the order that the ranges below rely on");
_Static_assert(CAPTURE_FIRST_ADDRESS + 1 == CAPTURE_FIRST_MESSAGE &&
                   CAPTURE_FIRST_EXEC_NAME + 1 == CAPTURE_FIRST_FILE,
               "the groups ADDRESS and EXEC_NAME have one capture each");
_Static_assert(CAPTURE_COUNT <= 256, "struct tiercel_param keeps a capture in 8 bits");

/*
 * Which group a capture belongs to. One function for each kind of event, because each program carries, and
 * has verified, only the groups it can reach.
 */
static __always_inline void put_task_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture == CAPTURE_exe || capture == CAPTURE_args || capture == CAPTURE_env)
        group_command(slot, i);
    else if (is_task_text(capture))
        group_task_text(slot, i);
    else
        group_task_number(slot, i);
}

/*
 * What most parameters of syscalls are, done on the spot: a call costs more than what it would do (a return
 * can take 20 ns where the CPU needs safe returns). 0: it is something else.
 */
static __always_inline int put_plain_argument(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 value;

    if (p.capture == CAPTURE_ret)
        value = c->ret;
    else if (p.capture == CAPTURE_arg)
        value = argument(c, p.arg[0]);
    else if (p.capture == CAPTURE_sarg)
        value = (__s64)signed_argument(c, p.arg[0]);
    else
        return 0;
    put_number(c, i, value, p.width);
    return 1;
}

static __always_inline void put_syscall_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture < CAPTURE_FIRST_USER)
        group_argument(slot, i);
    else if (capture < CAPTURE_FIRST_OPTION)
        group_user(slot, i);
    else if (capture < CAPTURE_FIRST_ADDRESS)
        group_option(slot, i);
    else if (capture < CAPTURE_FIRST_MESSAGE)
        group_sockaddr(slot, i);
    else if (capture < CAPTURE_FIRST_EXEC_NAME)
        group_message(slot, i);
    else if (capture < CAPTURE_FIRST_FILE)
        group_exec_filename(slot, i);
    else if (capture < CAPTURE_FIRST_SOCKET)
        group_file(slot, i);
    else if (capture < CAPTURE_FIRST_TASK)
        group_socket(slot, i);
    else
        put_task_param(slot, i, capture);
}

static __always_inline void put_life_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture < CAPTURE_FIRST_USER)
        group_argument(slot, i);
    else if (capture == CAPTURE_exec_filename)
        group_exec_filename(slot, i);
    else
        put_task_param(slot, i, capture);
}

static __always_inline void put_trace_param(__u32 slot, __u32 i, __u8 capture)
{
    group_trace(slot, i);
}

/* A context switch tells of the memory of the thread that leaves, too. */
static __always_inline void put_switch_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture >= CAPTURE_FIRST_TRACE)
        group_trace(slot, i);
    else
        group_task_number(slot, i);
}

static __always_inline void begin_event(struct capture *c, __u64 tid)
{
    struct event_header *header = (struct event_header *)c->buf;
    __u32 index = opaque(c->index);

    c->nparams = 0;
    if (index >= INDEX_COUNT)
        return;
    c->nparams = tiercel_events[index].nparams;
    header->ts = ns_since_boot() + config_of(c)->boot_time_ns;
    header->tid = tid;
    header->type = tiercel_events[index].code;
    header->nparams = c->nparams;
    c->end = sizeof(*header) + 2 * c->nparams;
    c->file_known = 0;
}

static __always_inline int end_event(struct capture *c)
{
    struct event_header *header = (struct event_header *)c->buf;

    header->len = c->end;
    return 0;
}

/*
 * NAME(slot, tid): the whole event, header and parameters, into a scratch area where the caller has filled
 * in what the captures read. Its time is this moment.
 */
#define CAPTURE_EVENT(name, put)                        \
    STEP int name##_step(__u32 i, void *slot)           \
    {                                                   \
        struct capture *c = capture_at(*(__u32 *)slot); \
        struct tiercel_param p;                         \
                                                        \
        if (!c || i >= c->nparams)                      \
            return 1;                                   \
        p = param_of(c->index, i);                      \
        put(*(__u32 *)slot, i, p.capture);              \
        return 0;                                       \
    }                                                   \
                                                        \
    NOINLINE int name(__u32 slot, __u64 tid)            \
    {                                                   \
        struct capture *c = capture_at(slot);           \
                                                        \
        if (!c)                                         \
            return 0;                                   \
        begin_event(c, tid);                            \
        REPEAT(TIERCEL_MAX_PARAMS, name##_step, &slot); \
        return end_event(c);                            \
    }

/* The same for syscalls, the events that there are most of: a plain loop, and few calls. */
NOINLINE int capture_syscall_event(__u32 slot, __u64 tid)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    begin_event(c, tid);
    for (__u32 i = 0; i < TIERCEL_MAX_PARAMS; i++) {
        struct tiercel_param p;

        if (i >= c->nparams)
            break;
        p = param_of(c->index, i);
        if (!put_plain_argument(c, i, p))
            put_syscall_param(slot, i, p.capture);
    }
    return end_event(c);
}

CAPTURE_EVENT(capture_life_event, put_life_param)
CAPTURE_EVENT(capture_trace_event, put_trace_param)
CAPTURE_EVENT(capture_switch_event, put_switch_param)

#endif
