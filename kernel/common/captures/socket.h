/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The ADDRESS capture: an address given by the caller (SOCKADDR). The SOCKET captures: both ends of a socket
 * as the kernel knows them (SOCKTUPLE). Ports are stored in host byte order, addresses in network byte order.
 * A tuple starts with the source: the local end of what is sent, the remote end of what is received.
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_SOCKET_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_SOCKET_H

#include "kernel/common/messages.h"
#include "kernel/common/sockets.h"

/* --- addresses from user space: struct sockaddr in tmp ------------------------------------------------- */
struct user_address {
    __u16 family;
    __be16 port;
    union {
        struct {
            __be32 v4;
            __u8 pad[116];
        };
        struct {
            __u32 flow;
            __u64 v6[2];
        } __attribute__((packed));
    };
};

/* Reads at most sizeof(struct sockaddr_un) bytes. Returns NULL if there is no address. */
static __always_inline struct user_address *user_address(struct capture *c, __u64 address, __u64 len)
{
    struct user_address *out = (struct user_address *)c->tmp;

    if (!address || len < sizeof(__u16))
        return NULL;
    if (len > 2 + UNIX_PATH_MAX)
        len = 2 + UNIX_PATH_MAX;
    __builtin_memset(out, 0, sizeof(*out));
    if (is_saved(c, 1) && address == c->args[1]) {
        if (read_kernel(out, len, (const void *)address))
            return NULL;
    } else if (read_user(out, len, address)) {
        return NULL;
    }
    return out;
}

static __always_inline int put_sockaddr(struct capture *c, __u32 i, __u64 address, __u64 len)
{
    struct user_address *a = user_address(c, address, len);
    __u32 at = value_start(c), start = at;

    if (!a)
        return no_value(c, i);
    switch (a->family) {
    case FAMILY_INET:
        put_u8(c, &at, FAMILY_INET);
        put_u32(c, &at, a->v4);
        put_u16(c, &at, host16(a->port));
        break;
    case FAMILY_INET6:
        put_u8(c, &at, FAMILY_INET6);
        put_u64(c, &at, a->v6[0]);
        put_u64(c, &at, a->v6[1]);
        put_u16(c, &at, host16(a->port));
        break;
    case FAMILY_UNIX:
        put_u8(c, &at, FAMILY_UNIX);
        at = put_unix_path(c, at, (const char *)&a->port, UNIX_PATH_MAX);
        break;
    default: break;
    }
    return end_value(c, i, at - start);
}

/* --- tuples -------------------------------------------------------------------------------------------- */
struct endpoint {
    __u64 address[2]; /* IPv4 in the first four bytes */
    __u16 port;
};

static __always_inline void put_endpoint(struct capture *c, __u32 *at, const struct endpoint *e, int v6)
{
    if (v6) {
        put_u64(c, at, e->address[0]);
        put_u64(c, at, e->address[1]);
    } else {
        put_u32(c, at, e->address[0]);
    }
    put_u16(c, at, e->port);
}

static __always_inline void read_ends(struct sock *sk, int v6, struct endpoint *local,
                                      struct endpoint *remote)
{
    struct inet_sock *inet = (struct inet_sock *)sk;

    local->port = host16(READ(inet, inet_sport));
    remote->port = host16(READ(sk, __sk_common.skc_dport));
    if (v6) {
        READ_INTO(&local->address, inet, pinet6, saddr);
        READ_INTO(&remote->address, sk, __sk_common.skc_v6_daddr);
    } else {
        local->address[0] = READ(inet, inet_saddr);
        remote->address[0] = READ(sk, __sk_common.skc_daddr);
    }
}

/* For a socket without a peer, the address in this call stands for the remote end. */
static __always_inline void use_given_address(struct capture *c, __u64 address, __u64 len, int v6,
                                              struct endpoint *remote)
{
    struct user_address *a = user_address(c, address, len);

    if (!a || a->family != (v6 ? FAMILY_INET6 : FAMILY_INET))
        return;
    remote->port = host16(a->port);
    remote->address[0] = v6 ? a->v6[0] : a->v4;
    remote->address[1] = v6 ? a->v6[1] : 0;
}

static __always_inline int put_inet_tuple(struct capture *c, __u32 i, struct sock *sk, int v6, int inbound,
                                          __u64 address, __u64 len)
{
    struct endpoint local = {}, remote = {};
    __u32 at = value_start(c), start = at;

    read_ends(sk, v6, &local, &remote);
    if (!remote.port && address)
        use_given_address(c, address, len, v6, &remote);
    put_u8(c, &at, v6 ? FAMILY_INET6 : FAMILY_INET);
    put_endpoint(c, &at, inbound ? &remote : &local, v6);
    put_endpoint(c, &at, inbound ? &local : &remote, v6);
    return end_value(c, i, at - start);
}

/* Puts the identities of both sockets, then a path: the listener's for received data, else the peer's. */
static __always_inline int put_unix_tuple(struct capture *c, __u32 i, struct sock *sk, int inbound,
                                          __u64 address, __u64 len)
{
    struct sock *peer = READ((struct unix_sock *)sk, peer);
    struct unix_address *name = READ((struct unix_sock *)(inbound ? sk : peer), addr);
    __u32 at = value_start(c), start = at;

    put_u8(c, &at, FAMILY_UNIX);
    put_u64(c, &at, IDENTITY_OF(inbound ? sk : peer));
    put_u64(c, &at, IDENTITY_OF(inbound ? peer : sk));
    if (name)
        at = put_unix_name(c, at, name);
    else if (user_address(c, address, len))
        at = put_unix_path(c, at, (const char *)c->tmp + 2, UNIX_PATH_MAX);
    else
        put_u8(c, &at, 0);
    return end_value(c, i, at - start);
}

/* Puts c->tuple as parameter `i`. */
NOINLINE int put_tuple(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);
    int inbound;
    struct sock *sk;
    __u16 family;

    if (!c)
        return 0;
    sk = c->tuple.sk;
    inbound = c->tuple.inbound != 0;
    family = READ(sk, __sk_common.skc_family);
    if (family == FAMILY_UNIX)
        return put_unix_tuple(c, i, sk, inbound, c->tuple.address, c->tuple.len);
    if (family == FAMILY_INET || family == FAMILY_INET6)
        return put_inet_tuple(c, i, sk, family == FAMILY_INET6, inbound, c->tuple.address, c->tuple.len);
    return no_value(c, i);
}

/* --- captures --------------------------------------------------------------------------------------------
 */
#define KERNEL_EINPROGRESS 115

/* Fills c->tuple except for the socket, and returns the socket's descriptor; -1: no tuple is wanted. */
static __always_inline __s32 tuple_request(struct capture *c, struct tiercel_param p)
{
    int receives = p.capture != CAPTURE_tuple_connect && p.capture != CAPTURE_tuple_out &&
                   p.capture != CAPTURE_tuple_sendto && p.capture != CAPTURE_msg_tuple_out;
    __u64 message;

    c->tuple.inbound = receives;
    c->tuple.address = 0;
    c->tuple.len = 0;
    if (receives && c->ret < 0)
        return -1;
    switch (p.capture) {
    case CAPTURE_tuple_connect:
        if (c->ret != 0 && c->ret != -KERNEL_EINPROGRESS)
            return -1;
        c->tuple.address = argument(c, p.arg[1]);
        c->tuple.len = argument(c, p.arg[1] + 1);
        break;
    case CAPTURE_tuple_sendto:
        c->tuple.address = argument(c, p.arg[1]);
        c->tuple.len = (__u32)argument(c, p.arg[1] + 1);
        break;
    case CAPTURE_tuple_recvfrom:
        c->tuple.address = argument(c, p.arg[1]);
        c->tuple.len = user_u32(argument(c, p.arg[1] + 1));
        break;
    case CAPTURE_tuple_in_ret: return c->ret;
    case CAPTURE_msg_tuple_out:
    case CAPTURE_msg_tuple_in:
        message = message_address(c, argument(c, p.arg[1]));
        c->tuple.address = message_field(c, message, 0);
        c->tuple.len = message_field(c, message, 1);
        break;
    default: break;
    }
    return signed_argument(c, p.arg[0]);
}

static __always_inline __u64 accept_queue(struct capture *c, __u8 capture, __s32 fd)
{
    struct sock *sk = c->ret < 0 ? NULL : sock_of(c, fd);
    __u32 length, max;

    if (!sk)
        return 0;
    length = READ(sk, sk_ack_backlog);
    max = READ(sk, sk_max_ack_backlog);
    if (capture == CAPTURE_queue_length)
        return length;
    if (capture == CAPTURE_queue_max)
        return max;
    return max ? (__u64)length * 100 / max : 0;
}

/* Puts the path of a Unix socket's own file, which bind() made. net/unix/af_unix.c, struct unix_sock.path */
static __always_inline int put_socket_file(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct sock *sk = wants_paths(c) && c->ret == 0 ? sock_of(c, signed_argument(c, p.arg[0])) : NULL;
    struct unix_sock *found = (struct unix_sock *)sk;

    if (!sk || READ(sk, __sk_common.skc_family) != FAMILY_UNIX)
        return no_value(c, i);
    if (p.capture == CAPTURE_peer_path)
        found = (struct unix_sock *)READ(found, peer);
    if (!found || !READ(found, path.mnt))
        return no_value(c, i);
    return put_real_path(c, i, READ(found, path.mnt), READ(found, path.dentry));
}

static __always_inline int capture_socket(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct sock *sk;

    switch (p.capture) {
    case CAPTURE_queue_percent:
    case CAPTURE_queue_length:
    case CAPTURE_queue_max:
        return put_number(c, i, accept_queue(c, p.capture, signed_argument(c, p.arg[0])), p.width);
    case CAPTURE_bound_path:
    case CAPTURE_peer_path: return put_socket_file(c, i, p);
    case CAPTURE_pair_socket:
    case CAPTURE_pair_peer:
        sk = c->ret < 0 ? NULL : sock_of(c, user_u32(argument(c, p.arg[0])));
        if (sk && p.capture == CAPTURE_pair_peer)
            sk = READ((struct unix_sock *)sk, peer);
        return put_number(c, i, IDENTITY_OF(sk), p.width);
    default:
        sk = sock_of(c, tuple_request(c, p));
        c->tuple.sk = sk;
        return sk ? put_tuple(c->slot, i) : no_value(c, i);
    }
}

#endif
