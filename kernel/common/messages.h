/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Reads struct user_msghdr of include/linux/socket.h for the MESSAGE and SOCKET captures. Its members: name,
 * namelen, iov, iovlen, control, controllen, flags.
 */
#ifndef TIERCEL_KERNEL_COMMON_MESSAGES_H
#define TIERCEL_KERNEL_COMMON_MESSAGES_H

#include "kernel/common/user_memory.h"

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

#endif
