/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The capture plan's interpreter: one function for each group of captures, and the loop that passes an
 * event's parameters to them. The functions are global, so that the verifier checks each function once and
 * not once for every parameter and event (kernel/bpf/verifier.c, do_check_subprogs()). Such a function may
 * only take numbers, so each one looks up its scratch area again.
 */
#ifndef TIERCEL_KERNEL_COMMON_DISPATCH_H
#define TIERCEL_KERNEL_COMMON_DISPATCH_H

#include "kernel/common/captures/argument.h"
#include "kernel/common/captures/command.h"
#include "kernel/common/captures/file.h"
#include "kernel/common/captures/message.h"
#include "kernel/common/captures/option.h"
#include "kernel/common/captures/socket.h"
#include "kernel/common/captures/task.h"
#include "kernel/common/captures/trace.h"
#include "kernel/common/captures/user.h"

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

#define GROUP_FUNCTION(name, body)            \
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

GROUP_FUNCTION(group_argument, return capture_argument(c, i, p))
GROUP_FUNCTION(group_user, return capture_user(c, i, p))
GROUP_FUNCTION(group_file, return capture_file(c, i, p))
GROUP_FUNCTION(group_sockaddr, return put_sockaddr(c, i, argument(c, p.arg[0]), (__u32)argument(c, p.arg[1])))
GROUP_FUNCTION(group_socket, return capture_socket(c, i, p))
GROUP_FUNCTION(group_message, return capture_message(c, i, p))
GROUP_FUNCTION(group_command, return capture_command(c, i, p))
GROUP_FUNCTION(group_task_number, return put_number(c, i, task_number(c, p.capture), p.width))
GROUP_FUNCTION(group_task_text, return capture_task_text(c, i, p))
GROUP_FUNCTION(group_trace, return put_number(c, i, trace_number(c, p.capture), p.width))
GROUP_FUNCTION(group_option, return capture_option(c, i, p))
GROUP_FUNCTION(group_exec_filename, return put_exec_filename(c, i))

/* The put_*_param() functions find a capture's group by these ranges, in the order of captures.def. */
#define IN_ORDER(a, b) _Static_assert(CAPTURE_FIRST_##a < CAPTURE_FIRST_##b, #a " comes before " #b)
_Static_assert(CAPTURE_FIRST_ARGUMENT == 0, "ARGUMENT comes first");
IN_ORDER(ARGUMENT, USER);
IN_ORDER(USER, OPTION);
IN_ORDER(OPTION, ADDRESS);
IN_ORDER(ADDRESS, MESSAGE);
IN_ORDER(MESSAGE, EXEC_NAME);
IN_ORDER(EXEC_NAME, FILE);
IN_ORDER(FILE, SOCKET);
IN_ORDER(SOCKET, COMMAND);
IN_ORDER(COMMAND, TASK_TEXT);
IN_ORDER(TASK_TEXT, TASK);
IN_ORDER(TASK, TRACE);
IN_ORDER(TRACE, ITER);
#undef IN_ORDER
_Static_assert(CAPTURE_FIRST_ADDRESS + 1 == CAPTURE_FIRST_MESSAGE &&
                   CAPTURE_FIRST_EXEC_NAME + 1 == CAPTURE_FIRST_FILE,
               "the groups ADDRESS and EXEC_NAME have one capture each");
_Static_assert(CAPTURE_COUNT <= 256, "struct tiercel_param keeps a capture in 8 bits");

/*
 * The put_*_param() functions pass a parameter to its group. There is one for each kind of event, so that a
 * program contains only the groups that its events need, and the verifier checks only those.
 */
static __always_inline void put_task_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture < CAPTURE_FIRST_TASK_TEXT)
        group_command(slot, i);
    else if (capture < CAPTURE_FIRST_TASK)
        group_task_text(slot, i);
    else
        group_task_number(slot, i);
}

/*
 * Puts the plainest parameters, which most are, without a call: a return can take 20 ns on a CPU that needs
 * safe returns. Returns 0 if the parameter is of another kind.
 */
static __always_inline int put_plain_argument(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 value;

    if (p.capture == CAPTURE_ret && c->unknown_ret)
        return !no_value(c, i);
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
    else if (capture < CAPTURE_FIRST_COMMAND)
        group_socket(slot, i);
    else
        put_task_param(slot, i, capture);
}

static __always_inline void put_life_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture < CAPTURE_FIRST_USER)
        group_argument(slot, i);
    else if (capture < CAPTURE_FIRST_FILE)
        group_exec_filename(slot, i);
    else
        put_task_param(slot, i, capture);
}

static __always_inline void put_trace_param(__u32 slot, __u32 i, __u8 capture)
{
    group_trace(slot, i);
}

/* A context switch also has parameters about the thread that stops running. */
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
 * Defines NAME(slot, tid), which puts a whole event, header and parameters, into a scratch area. The caller
 * has set the members that the captures read. The event's time is now.
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

/* The same for syscalls, with a plain loop and fewer calls, because most events are syscalls. */
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
