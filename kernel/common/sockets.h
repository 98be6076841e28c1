/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sockets, as the kernel's objects tell of them: from a descriptor to its struct sock, names of Unix sockets.
 */
#ifndef TIERCEL_KERNEL_COMMON_SOCKETS_H
#define TIERCEL_KERNEL_COMMON_SOCKETS_H

#include "kernel/common/files.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10 };

static __always_inline __u16 host16(__be16 value)
{
    return __builtin_bswap16(value);
}

static __always_inline struct sock *sock_of(const struct capture *c, __s32 fd)
{
    struct file *file = file_of(c, fd);
    struct socket *socket;

    if (!file || (READ(file, f_inode, i_mode) & MODE_TYPE) != MODE_SOCKET)
        return NULL;
    socket = READ(file, private_data);
    return READ(socket, sk);
}

/*
 * A Unix path of `len` bytes, the family excluded. An abstract one has a NUL first, which the schema leaves
 * out, and none at its end.
 */
static __always_inline __u32 put_unix_path(struct capture *c, __u32 at, const char *path, __u32 len)
{
    __s64 n;
    char first = 0;

    read_kernel(&first, sizeof(first), path);
    if (first)
        len++; /* room for a NUL that the path may lack */
    else
        path++;
    if (at > EVENT_MAX || len > UNIX_PATH_MAX + 1)
        return at;
    n = read_kernel_text(&c->buf[at], opaque(len) & 127, path); /* a mask is a bound to every verifier */
    return n > 0 ? at + n : at;
}

/* The name that a socket is bound to. */
static __always_inline __u32 put_unix_name(struct capture *c, __u32 at, struct unix_address *name)
{
    const char *path = (const char *)name + FIELD_OFFSET(struct unix_address, name) +
                       FIELD_OFFSET(struct sockaddr_un, sun_path);

    return put_unix_path(c, at, path, READ(name, len) - sizeof(__u16));
}

#endif
