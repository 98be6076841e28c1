/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Events about the state before the probe: one ITER_TASK event for each thread and one ITER_TASK_FILE_* event
 * for each open file, written to the iterator's reader in the same encoding as in the rings. The header's
 * tid holds process and thread id: tgid << 32 | tid.
 */
#ifndef TIERCEL_KERNEL_COMMON_ITERATORS_H
#define TIERCEL_KERNEL_COMMON_ITERATORS_H

#include "kernel/common/captures/iter.h"
#include "kernel/common/dispatch.h"

/*
 * Command line and environment are the memory of another process. Only a sleepable program may fetch it, and
 * only with the task pointer that its context holds: it does so before the event is put together and leaves
 * the bytes behind the longest possible event.
 */
#define STASH_ARGV (EVENT_MAX + 1)
#define STASH_ENV (STASH_ARGV + TEXT_MAX)

static __always_inline __u32 stash_memory(struct capture *c, __u32 at, struct task_struct *task, __u64 from,
                                          __u64 to)
{
    __u64 len = to - from;

    if (!from || to <= from)
        return 0;
    if (len > TEXT_MAX)
        len = TEXT_MAX;
    if (read_task_memory(&c->buf[at], len, from, task))
        return 0;
    return len;
}

static __always_inline int put_stashed(struct capture *c, __u32 i, __u32 at, __u32 len)
{
    __u32 start = value_start(c);

    len = opaque(len);
    if (len == 0 || len > TEXT_MAX || read_kernel(&c->buf[start], len, &c->buf[at]))
        return no_value(c, i);
    c->buf[start + ((len - 1) & (TEXT_MAX - 1))] = 0; /* a cut text also ends with NUL */
    return end_value(c, i, len);
}

GROUP_FUNCTION(group_iter, return capture_iter(c, i, p))
GROUP_FUNCTION(group_argv, return put_stashed(c, i, STASH_ARGV, c->extra[0]))
GROUP_FUNCTION(group_env, return put_stashed(c, i, STASH_ENV, c->extra[1]))

static __always_inline void put_file_param(__u32 slot, __u32 i, __u8 capture)
{
    group_iter(slot, i);
}

static __always_inline void put_thread_param(__u32 slot, __u32 i, __u8 capture)
{
    if (capture == CAPTURE_task_argv)
        group_argv(slot, i);
    else if (capture == CAPTURE_task_env)
        group_env(slot, i);
    else if (capture < CAPTURE_FIRST_TASK)
        group_task_text(slot, i);
    else
        group_task_number(slot, i);
}

CAPTURE_EVENT(capture_file_event, put_file_param)
CAPTURE_EVENT(capture_thread_event, put_thread_param)

#endif
