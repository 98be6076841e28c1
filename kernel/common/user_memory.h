/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Reading the caller's memory: texts, bytes and numbers. All drivers share this through read_user().
 *
 * Structures of 32-bit callers differ; c->compat says whether the caller is one. Most memory is read at the
 * syscall's exit, so another thread may have changed it since the kernel read it (SECURITY.md, "What
 * remains"). Paths and names are read at the entry (texts.h), and c->saved tells which.
 */
#ifndef TIERCEL_KERNEL_COMMON_USER_MEMORY_H
#define TIERCEL_KERNEL_COMMON_USER_MEMORY_H

#include "kernel/common/capture.h"

static __always_inline int put_text(struct capture *c, __u32 i, __u64 address)
{
    __s64 n = read_user_text(&c->buf[value_start(c)], TEXT_MAX, address);

    return end_value(c, i, n > 0 ? n : 0);
}

/* Whether argument `n` is the address of a copy in the kernel (struct capture, saved). */
static __always_inline int is_saved(const struct capture *c, __u32 n)
{
    return c->saved >> n & 1;
}

/* Makes argument `n` the copy at this kernel address, if there is one. */
static __always_inline void use_saved(struct capture *c, __u32 n, const void *copy)
{
    if (n >= 6 || !copy)
        return;
    c->args[n] = (__u64)copy;
    c->saved |= 1 << n;
}

/* The text at argument `n`. */
static __always_inline int put_text_argument(struct capture *c, __u32 i, __u32 n)
{
    __u64 address = argument(c, n);

    return is_saved(c, n) ? put_kernel_text(c, i, (const void *)address, TEXT_MAX) : put_text(c, i, address);
}

/* Reads `size` bytes at `offset` of what argument `n` points to. */
static __always_inline void read_argument(const struct capture *c, __u32 n, __u32 offset, void *into,
                                          __u32 size)
{
    __u64 address = argument(c, n) + offset;

    if (is_saved(c, n))
        read_kernel(into, size, (const void *)address);
    else
        read_user(into, size, address);
}

/* The b-th 64-bit number of the structure at argument `n`. */
static __always_inline __u64 argument_u64(const struct capture *c, __u32 n, __u32 b)
{
    __u64 value = 0;

    read_argument(c, n, 8 * b, &value, sizeof(value));
    return value;
}

/* `len` bytes at `address`, at most snaplen; no value when unreadable. */
static __always_inline int put_data(struct capture *c, __u32 i, __u64 address, __s64 len)
{
    __u32 at = value_start(c);
    __u32 n;

    if (len <= 0)
        return no_value(c, i);
    n = len > config_of(c)->snaplen ? config_of(c)->snaplen : len;
    if (n == 0 || n > EVENT_MAX)
        return no_value(c, i);
    if (read_user(&c->buf[at], n, address))
        return no_value(c, i);
    return end_value(c, i, n);
}

/* An unsigned long of the caller's ABI: pointers and sizes in its structures. */
static __always_inline __u64 user_long(const struct capture *c, __u64 address, __u32 n)
{
    __u64 value = 0;

    if (c->compat) {
        __u32 half = 0;

        read_user(&half, sizeof(half), address + 4 * n);
        return half;
    }
    read_user(&value, sizeof(value), address + 8 * n);
    return value;
}

static __always_inline __u32 user_u32(__u64 address)
{
    __u32 value = 0;

    read_user(&value, sizeof(value), address);
    return value;
}

static __always_inline __u64 user_u64(__u64 address)
{
    __u64 value = 0;

    read_user(&value, sizeof(value), address);
    return value;
}

static __always_inline __u64 user_timespec(const struct capture *c, __u64 address)
{
    if (!address)
        return 0;
    return user_long(c, address, 0) * 1000000000ull + user_long(c, address, 1);
}

#endif
