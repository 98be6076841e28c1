/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The USER captures: what the caller's memory holds. All drivers share them. */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_USER_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_USER_H

#include "kernel/common/convert.h"
#include "kernel/common/vectors.h"

#define POLL_MAX_KEPT 16

/* --- lists ----------------------------------------------------------------------------------- */

struct poll_entry {
    __s32 fd;
    __u16 events, revents;
};

STEP int poll_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    struct poll_entry entry;
    __u32 at;

    if (!c || k >= c->vector.count)
        return 1;
    if (read_user(&entry, sizeof(entry), c->vector.base + sizeof(entry) * k))
        return 1;
    at = c->cursor;
    put_u64(c, &at, (__s64)entry.fd);
    put_u16(c, &at, convert_poll_events(entry.revents));
    c->cursor = at;
    return 0;
}

static __always_inline int put_poll_fds(struct capture *c, __u32 i, __u64 address, __u64 count)
{
    __u32 at = value_start(c), start = at, slot = c->slot;

    if (count > POLL_MAX_KEPT)
        count = POLL_MAX_KEPT;
    put_u16(c, &at, count);
    c->cursor = at;
    c->vector.base = address;
    c->vector.count = count;
    REPEAT(POLL_MAX_KEPT, poll_step, &slot);
    if (c->cursor - at != count * 10) /* some of it was unreadable */
        return no_value(c, i);
    return end_value(c, i, c->cursor - start);
}

/* --- numbers in structures ------------------------------------------------------------------- */

static __always_inline __s64 user_rlimit(const struct capture *c, __u64 address, __u32 n, int wide)
{
    __u64 value = 0;

    if (c->compat && !wide) {
        __u32 half = 0;

        if (read_user(&half, sizeof(half), address + 4 * n))
            return -1;
        return half == 0xffffffff ? -1 : (__s64)half;
    }
    return read_user(&value, sizeof(value), address + 8 * n) ? -1 : (__s64)value;
}

/* struct sembuf: unsigned short number; short operation, flags. Beyond the count: 0. */
static __always_inline __u64 user_sembuf(const struct capture *c, __u64 address, __u32 n)
{
    __u16 value = 0;

    if (c->args[2] <= n / 3)
        return 0;
    read_user(&value, sizeof(value), address + 2 * n);
    return n % 3 == 2 ? convert_semop_flags(value) : value;
}

/* struct io_uring_params: sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features. */
static __always_inline __u64 uring_param(__u64 address, __u32 n)
{
    return user_u32(address + 4 * n);
}

/* struct open_how: u64 flags, mode, resolve. */
static __always_inline __u64 open_how_number(const struct capture *c, __u8 capture, __u32 n)
{
    if (capture == CAPTURE_how_resolve)
        return convert_resolve_flags(argument_u64(c, n, 2));
    if (capture == CAPTURE_how_mode)
        return convert_open_mode(argument_u64(c, n, 0), argument_u64(c, n, 1));
    return convert_open_flags(argument_u64(c, n, 0));
}

static __always_inline __u64 user_number(struct capture *c, __u8 capture, __u64 a, __u32 n)
{
    switch (capture) {
    case CAPTURE_iov_size: return vector_size(c, a, argument(c, n), c->ret);
    case CAPTURE_user_u32: return c->ret < 0 ? 0 : user_u32(a);
    case CAPTURE_user_u64: return a ? user_u64(a + 8 * n) : 0;
    case CAPTURE_user_fd: return c->ret < 0 ? -1ll : (__s64)(__s32)user_u32(a + 4 * n);
    case CAPTURE_user_timespec: return user_timespec(c, a);
    case CAPTURE_sigset: return user_u32(a);
    case CAPTURE_rlimit: return user_rlimit(c, a, n, 0);
    case CAPTURE_rlimit_if_ok: return c->ret < 0 ? -1 : user_rlimit(c, a, n, 0);
    case CAPTURE_rlimit64: return user_rlimit(c, a, n, 1);
    case CAPTURE_rlimit64_if_ok: return c->ret < 0 ? -1 : user_rlimit(c, a, n, 1);
    case CAPTURE_sendfile_offset: return a ? user_long(c, a, 0) : 0;
    case CAPTURE_sembuf: return user_sembuf(c, a, n);
    case CAPTURE_uring_param: return uring_param(a, n);
    case CAPTURE_uring_setup_flags: return convert_uring_setup_flags(uring_param(a, 2));
    default: return 0;
    }
}

static __always_inline int capture_user(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 a = argument(c, p.arg[0]);

    switch (p.capture) {
    case CAPTURE_path: return put_text_argument(c, i, p.arg[0]);
    case CAPTURE_how_flags:
    case CAPTURE_how_mode:
    case CAPTURE_how_resolve: return put_number(c, i, open_how_number(c, p.capture, p.arg[0]), p.width);
    case CAPTURE_path_if_ok: return c->ret < 0 ? no_value(c, i) : put_text(c, i, a);
    case CAPTURE_data_read: return put_data(c, i, a, c->ret);
    case CAPTURE_data_written: return put_data(c, i, a, c->ret > 0 ? c->ret : (__s64)argument(c, p.arg[1]));
    case CAPTURE_data_arg: return put_data(c, i, a, argument(c, p.arg[1]));
    case CAPTURE_poll_fds: return put_poll_fds(c, i, a, argument(c, p.arg[1]));
    case CAPTURE_iov_data: return put_iov(c, i, a, argument(c, p.arg[1]), c->ret);
    default: return put_number(c, i, user_number(c, p.capture, a, p.arg[1]), p.width);
    }
}

#endif
