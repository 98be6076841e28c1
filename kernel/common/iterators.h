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

GROUP_FUNCTION(group_iter, return capture_iter(c, i, p))

static __always_inline void put_file_param(__u32 slot, __u32 i, __u8 capture)
{
    group_iter(slot, i);
}

/*
 * Command line and environment have no value here. They lie in another process's memory, and a read of it can
 * fault in a file whose server, run by that process, never answers; the reader would then hang for good.
 */
static __always_inline void put_thread_param(__u32 slot, __u32 i, __u8 capture)
{
    struct capture *c = capture_at(slot);

    if (capture < CAPTURE_FIRST_TASK)
        group_task_text(slot, i);
    else if (capture < CAPTURE_FIRST_TRACE)
        group_task_number(slot, i);
    else if (c)
        no_value(c, i);
}

CAPTURE_EVENT(capture_file_event, put_file_param)
CAPTURE_EVENT(capture_thread_event, put_thread_param)

#endif
