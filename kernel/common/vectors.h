/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Vectors of buffers: struct iovec is {base, length}, two longs of the caller's ABI. */
#ifndef TIERCEL_KERNEL_COMMON_VECTORS_H
#define TIERCEL_KERNEL_COMMON_VECTORS_H

#include "kernel/common/user_memory.h"

#define IOV_MAX_KEPT 16 /* buffers of a vector that are read */

/* The context of a loop step is the number of its scratch area, which every driver can pass on. */
STEP int sum_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);

    if (!c || k >= c->vector.count)
        return 1;
    c->total += user_long(c, c->vector.base, 2 * k + 1);
    return 0;
}

/* Adds up the lengths of c->vector into c->total. */
NOINLINE int sum_vector(__u32 slot)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    c->total = 0;
    REPEAT(IOV_MAX_KEPT, sum_step, &slot);
    return 0;
}

STEP int vector_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    __u32 at, have, want, n;
    __u64 base, len;

    if (!c)
        return 1;
    at = value_start(c);
    have = opaque(c->cursor);
    want = opaque(c->total);
    if (k >= c->vector.count || have >= want || have > EVENT_MAX)
        return 1;
    base = user_long(c, c->vector.base, 2 * k);
    len = user_long(c, c->vector.base, 2 * k + 1);
    n = opaque(len < want - have ? len : want - have);
    if (n > TEXT_MAX) /* the most that one buffer gives */
        n = TEXT_MAX;
    if (n && read_user(&c->buf[at + have], n, base))
        return 1;
    c->cursor = have + n;
    return 0;
}

/* Puts the first c->vector.limit bytes that c->vector describes as parameter `i`. */
NOINLINE int put_vector(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    c->total = c->vector.limit < 0 ? 0 : c->vector.limit;
    c->cursor = 0;
    REPEAT(IOV_MAX_KEPT, vector_step, &slot);
    return end_value(c, i, c->cursor);
}

static __always_inline __u64 iov_size(struct capture *c, __u64 base, __u64 count)
{
    c->vector.base = base;
    c->vector.count = count;
    sum_vector(c->slot);
    return c->total;
}

static __always_inline int is_receive(const struct capture *c)
{
    return c->index == INDEX_SOCKET_RECVMSG_X || c->index == INDEX_SOCKET_RECVMMSG_X;
}

/* Whether the call fills the buffers; the size is then the number of bytes that it put there. */
static __always_inline int fills_vector(const struct capture *c)
{
    return is_receive(c) || c->index == INDEX_SYSCALL_READV_X || c->index == INDEX_SYSCALL_PREADV_X;
}

static __always_inline int is_process_vm(const struct capture *c)
{
    return c->index == INDEX_SYSCALL_PROCESS_VM_READV_X || c->index == INDEX_SYSCALL_PROCESS_VM_WRITEV_X;
}

static __always_inline __u64 vector_size(struct capture *c, __u64 base, __u64 count, __s64 done)
{
    if (fills_vector(c))
        return done > 0 ? done : 0;
    return iov_size(c, base, count);
}

/* Puts the bytes transferred (`done` > 0), or else all bytes to be written; at most snaplen. */
static __always_inline int put_iov(struct capture *c, __u32 i, __u64 base, __u64 count, __s64 done)
{
    if (done <= 0 && (fills_vector(c) || is_process_vm(c)))
        return no_value(c, i);
    c->vector.limit = done > 0 ? done : (__s64)iov_size(c, base, count);
    c->vector.base = base;
    c->vector.count = count;
    if (c->vector.limit > config_of(c)->snaplen)
        c->vector.limit = config_of(c)->snaplen;
    return put_vector(c->slot, i);
}

#endif
