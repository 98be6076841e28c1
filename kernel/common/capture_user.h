/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The USER captures: what the caller's memory holds. Shared by all drivers, through read_user().
 *
 * 32-bit callers' structures differ: c->compat says so. Memory is read at the syscall's exit, so another
 * thread may have changed it since the kernel looked (SECURITY.md, "What remains").
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURE_USER_H
#define TIERCEL_KERNEL_COMMON_CAPTURE_USER_H

#include "kernel/common/capture_argument.h"

#define IOV_MAX_KEPT 16 /* buffers of a vector that are looked at */
#define POLL_MAX_KEPT 16

static __always_inline int put_text(struct capture *c, __u32 i, __u64 address)
{
    __s64 n = read_user_text(&c->buf[value_start(c)], TEXT_MAX, address);

    return end_value(c, i, n > 0 ? n : 0);
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

/* --- vectors of buffers: struct iovec is {base, length}, two longs of the caller's ABI ------- */

/* Loop steps find their scratch area by its number: a context that any driver can hand through. */
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
    if (n > TEXT_MAX) /* what one buffer gives at the most */
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

/* Buffers that the call fills: their size is what it put there, and without that they hold nothing of it. */
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

/* What was transferred (`done` > 0), or else all that was to be written; at most snaplen. */
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

/* --- struct user_msghdr: name, namelen, iov, iovlen, control, controllen, flags -------------- */

/* Several messages are an array of {msghdr, length}; c->message picks one. */
static __always_inline __u64 message_address(const struct capture *c, __u64 address)
{
    return address + (__u64)c->message * (c->compat ? 32 : 64);
}

static __always_inline __u64 message_field(const struct capture *c, __u64 message, __u32 n)
{
    if (n == 1 || n == 6) /* int: namelen, flags */
        return user_u32(message + (c->compat ? 4 : 8) * n);
    return user_long(c, message, n);
}

static __always_inline __s64 message_ret(const struct capture *c)
{
    if (c->index != INDEX_SOCKET_SENDMMSG_X && c->index != INDEX_SOCKET_RECVMMSG_X)
        return c->ret;
    if (c->ret <= 0)
        return c->ret;
    return user_u32(message_address(c, c->args[1]) + (c->compat ? 28 : 56));
}

static __always_inline int capture_message(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 message = message_address(c, argument(c, p.arg[0]));
    __s64 ret = message_ret(c);
    __u64 vector, count;

    if (p.capture == CAPTURE_mmsg_ret)
        return put_number(c, i, ret, p.width);
    if (is_receive(c) && c->ret < 0)
        return p.capture == CAPTURE_msg_size ? put_number(c, i, 0, p.width) : no_value(c, i);
    if (p.capture == CAPTURE_msg_control)
        return put_data(c, i, message_field(c, message, 4), message_field(c, message, 5));
    vector = message_field(c, message, 2);
    count = message_field(c, message, 3);
    if (p.capture == CAPTURE_msg_size)
        return put_number(c, i, vector_size(c, vector, count, ret), p.width);
    return put_iov(c, i, vector, count, ret);
}

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

static __always_inline __u64 user_number(struct capture *c, __u8 capture, __u64 a, __u32 n)
{
    switch (capture) {
    case CAPTURE_iov_size: return vector_size(c, a, argument(c, n), c->ret);
    case CAPTURE_user_u32: return c->ret < 0 ? 0 : user_u32(a);
    case CAPTURE_user_u64: return user_u64(a);
    case CAPTURE_user_fd: return c->ret < 0 ? -1ll : (__s64)(__s32)user_u32(a + 4 * n);
    case CAPTURE_user_timespec: return user_timespec(c, a);
    case CAPTURE_sigset: return user_u32(a);
    case CAPTURE_rlimit: return user_rlimit(c, a, n, 0);
    case CAPTURE_rlimit_if_ok: return c->ret < 0 ? -1 : user_rlimit(c, a, n, 0);
    case CAPTURE_rlimit64: return user_rlimit(c, a, n, 1);
    case CAPTURE_rlimit64_if_ok: return c->ret < 0 ? -1 : user_rlimit(c, a, n, 1);
    case CAPTURE_sendfile_offset: return a ? user_long(c, a, 0) : 0;
    case CAPTURE_how_flags: return convert_open_flags(user_u64(a));
    case CAPTURE_how_mode: return open_mode(user_u64(a), user_u64(a + 8));
    case CAPTURE_how_resolve: return convert_resolve_flags(user_u64(a + 16));
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
    case CAPTURE_path: return put_text(c, i, a);
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
