/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The ITER captures: open files and sockets, as the iterators list them. The file is c->subject, its
 * descriptor c->extra[0].
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_ITER_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_ITER_H

#include "kernel/common/sockets.h"

#define FAMILY_NETLINK 16

/* --- files ---------------------------------------------------------------------------------------- */

/* The kind of an anonymous inode, by the name that the caller of fs/anon_inodes.c gave it. */
static __always_inline __u8 anon_inode_type(struct file *file)
{
    union {
        char text[16];
        __u64 words[2];
    } name = {};

    if (READ(file, f_inode, i_sb, s_magic) == PID_FS_MAGIC)
        return 8;
    read_kernel_text(name.text, sizeof(name.text), READ(file, f_path.dentry, d_name.name));
#define IS(literal)                                                           \
    ({                                                                        \
        union {                                                               \
            char text[16];                                                    \
            __u64 words[2];                                                   \
        } wanted = {.text = literal};                                         \
        name.words[0] == wanted.words[0] && name.words[1] == wanted.words[1]; \
    })
    if (IS("[eventfd]"))
        return 1;
    if (IS("[eventpoll]"))
        return 2;
    if (IS("inotify"))
        return 3;
    if (IS("[signalfd]"))
        return 4;
    if (IS("[timerfd]"))
        return 5;
    if (IS("[io_uring]"))
        return 6;
    if (IS("[userfaultfd]"))
        return 7;
    if (IS("[pidfd]"))
        return 8;
    if (IS("bpf-map"))
        return 9;
    if (IS("bpf-prog"))
        return 10;
    if (IS("bpf_link") || IS("bpf-link"))
        return 11;
    if (IS("bpf_iter"))
        return 12;
    return IS("[perf_event]") ? 13 : 0;
#undef IS
}

static __always_inline struct sock *file_sock(struct file *file)
{
    struct socket *socket = READ(file, private_data);

    return READ(socket, sk);
}

/* The index of the event that describes the file; INDEX_COUNT: none. */
static __always_inline __u32 file_event(struct file *file)
{
    __u32 type = READ(file, f_inode, i_mode) & MODE_TYPE;
    __u64 magic = READ(file, f_inode, i_sb, s_magic);
    struct sock *sk;

    switch (type) {
    case 0010000: return INDEX_ITER_TASK_FILE_PIPE_E;
    case 0040000: return INDEX_ITER_TASK_FILE_DIRECTORY_E;
    case 0020000: /* character and block devices */
    case 0060000: return INDEX_ITER_TASK_FILE_REGULAR_E;
    case MODE_SOCKET:
        sk = file_sock(file);
        if (!sk)
            return INDEX_COUNT;
        switch (READ(sk, __sk_common.skc_family)) {
        case FAMILY_INET: return INDEX_ITER_TASK_FILE_SOCKET_INET_E;
        case FAMILY_INET6: return INDEX_ITER_TASK_FILE_SOCKET_INET6_E;
        case FAMILY_UNIX: return INDEX_ITER_TASK_FILE_SOCKET_UNIX_E;
        case FAMILY_NETLINK: return INDEX_ITER_TASK_FILE_SOCKET_NETLINK_E;
        default: return INDEX_COUNT;
        }
    default:
        if (magic == ANON_INODE_FS_MAGIC || magic == PID_FS_MAGIC)
            return INDEX_ITER_TASK_FILE_ANON_INODE_E;
        if (type == 0100000)
            return is_memfd(file) ? INDEX_ITER_TASK_FILE_MEMFD_E : INDEX_ITER_TASK_FILE_REGULAR_E;
        return INDEX_ITER_TASK_FILE_ANON_INODE_E;
    }
}

#define NAMESPACE_NAME 16   /* bytes, with the NUL; the longest is "cgroup" */
#define NAMESPACE_DIGITS 10 /* include/linux/proc_ns.h: the initial namespaces begin at 4026531832 */

/* Puts the name of a namespace's file as fs/nsfs.c, ns_dname() forms it: net:[4026531840]. */
static __always_inline int put_namespace_name(struct capture *c, __u32 i, struct file *file,
                                              struct ns_common *ns)
{
    __u32 number = READ(file, f_inode, i_ino), at, digit;
    __s64 n = read_kernel_text(c->tmp, NAMESPACE_NAME, READ(ns, ops, name));

    if (n <= 1)
        return no_value(c, i);
    at = opaque(n - 1) & (NAMESPACE_NAME - 1);
    c->tmp[at] = ':';
    c->tmp[at + 1] = '[';
    for (digit = NAMESPACE_DIGITS; digit > 0; digit--) {
        c->tmp[at + 1 + digit] = '0' + number % 10;
        number /= 10;
    }
    c->tmp[at + 2 + NAMESPACE_DIGITS] = ']';
    c->tmp[at + 3 + NAMESPACE_DIGITS] = 0;
    n = read_kernel_text(&c->buf[value_start(c)], TEXT_MAX, c->tmp);
    return end_value(c, i, n > 0 ? n : 0);
}

static __always_inline int put_iter_path(struct capture *c, __u32 i, struct file *file)
{
    __u64 magic = READ(file, f_inode, i_sb, s_magic);
    struct ns_common *ns = NULL;

    if (magic == PIPEFS_MAGIC)
        return no_value(c, i); /* an unnamed pipe, which its inode number identifies */
    if (magic == NSFS_MAGIC)
        ns = READ(file, f_inode, i_private);
    if (ns) /* the ptrace driver has none: its dentry has the name */
        return put_namespace_name(c, i, file, ns);
    return put_visible_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry));
}

/* Puts the local or the remote address of an internet socket. */
static __always_inline int put_sk_address(struct capture *c, __u32 i, struct sock *sk, int remote,
                                          __u32 width)
{
    __u32 at = value_start(c), start = at;
    __u64 v6[2] = {};

    if (width == 4)
        return put_number(
            c, i, remote ? READ(sk, __sk_common.skc_daddr) : READ(sk, __sk_common.skc_rcv_saddr), width);
    if (remote)
        READ_INTO(&v6, sk, __sk_common.skc_v6_daddr);
    else
        READ_INTO(&v6, sk, __sk_common.skc_v6_rcv_saddr);
    put_u64(c, &at, v6[0]);
    put_u64(c, &at, v6[1]);
    return end_value(c, i, at - start);
}

static __always_inline int put_sk_unix_path(struct capture *c, __u32 i, struct sock *sk)
{
    struct unix_sock *unix_sock = (struct unix_sock *)sk;
    struct unix_address *name = READ(unix_sock, addr);
    __u32 start = value_start(c);

    if (!name)
        return no_value(c, i);
    return end_value(c, i, put_unix_name(c, start, name) - start);
}

static __always_inline int capture_iter(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct file *file = (struct file *)c->subject;
    struct mount *mount;
    struct sock *sk;

    switch (p.capture) {
    case CAPTURE_iter_fd: return put_number(c, i, c->extra[0], p.width);
    case CAPTURE_iter_path: return put_iter_path(c, i, file);
    case CAPTURE_iter_flags: return put_number(c, i, convert_open_flags(READ(file, f_flags)), p.width);
    case CAPTURE_iter_mount:
        mount = (struct mount *)((char *)READ(file, f_path.mnt) - FIELD_OFFSET(struct mount, mnt));
        return put_number(c, i, READ(mount, mnt_id), p.width);
    case CAPTURE_iter_ino: return put_number(c, i, READ(file, f_inode, i_ino), p.width);
    case CAPTURE_iter_anon_type: return put_number(c, i, anon_inode_type(file), p.width);
    case CAPTURE_iter_anon_path: return anon_inode_type(file) ? no_value(c, i) : put_iter_path(c, i, file);
    default: break;
    }
    sk = file_sock(file);
    switch (p.capture) {
    case CAPTURE_sk_type: return put_number(c, i, BITFIELD(sk, sk_type), p.width);
    case CAPTURE_sk_protocol: return put_number(c, i, BITFIELD(sk, sk_protocol), p.width);
    case CAPTURE_sk_local_ip: return put_sk_address(c, i, sk, 0, p.width);
    case CAPTURE_sk_remote_ip: return put_sk_address(c, i, sk, 1, p.width);
    case CAPTURE_sk_local_port: return put_number(c, i, READ(sk, __sk_common.skc_num), p.width);
    case CAPTURE_sk_remote_port: return put_number(c, i, host16(READ(sk, __sk_common.skc_dport)), p.width);
    case CAPTURE_sk_pointer: return put_number(c, i, IDENTITY_OF(sk), p.width);
    case CAPTURE_sk_unix_path: return put_sk_unix_path(c, i, sk);
    default: return no_value(c, i);
    }
}

#endif
