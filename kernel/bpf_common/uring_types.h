/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The structures of io_uring that the BPF probes read, as in kernel_types.h. An operation's own structure
 * lies at the start of its request, struct io_kiocb. Many members are younger than 5.10: read them with
 * OPTIONAL().
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_URING_TYPES_H
#define TIERCEL_KERNEL_BPF_COMMON_URING_TYPES_H

#include "kernel/bpf_common/platform.h"

#define PF_IO_WORKER 0x10                   /* linux/sched.h: a thread that io_uring made */
#define IOSQE_FIXED_FILE 1                  /* uapi/linux/io_uring.h */
#define IOSQE_CQE_SKIP_SUCCESS (1 << 6)     /* struct io_kiocb has these flags as in the submission */
#define IORING_CQE_F_MORE (1 << 1)          /* more completions of the request follow */
#define IORING_CQE_F_NOTIF (1 << 3)         /* the buffers of a finished operation are free */
#define IORING_FILE_INDEX_ALLOC 0xffffffffu /* file_slot: the kernel chooses; else the slot's number + 1 */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct filename {
    const char *name, *uptr;
};
struct delayed_filename {
    struct filename *__incomplete_filename;
}; /* from 7.0 */

struct io_uring_cqe {
    __u64 user_data;
    __s32 res;
    __u32 flags;
};
struct io_cqe {
    __u64 user_data;
    __s32 res;
    int fd;
};
struct io_ring_ctx;
struct io_kiocb {
    struct file *file;
    __u8 opcode;
    __u32 flags;
    struct io_cqe cqe; /* from 5.19 */
    struct io_ring_ctx *ctx;
    void *async_data;
};
struct io_kiocb___old {
    __u64 user_data;
}; /* until 5.18 */

struct open_how {
    __u64 flags, mode, resolve;
};
struct io_open {
    int dfd;
    __u32 file_slot;
    struct filename *filename;
    struct open_how how;
};
struct io_open___delayed {
    struct delayed_filename filename;
};
struct io_close {
    int fd;
    __u32 file_slot;
};
struct io_unlink {
    int dfd, flags;
    struct filename *filename;
};
struct io_unlink___delayed {
    struct delayed_filename filename;
};
struct io_mkdir {
    int dfd;
    __u16 mode;
    struct filename *filename;
};
struct io_mkdir___delayed {
    struct delayed_filename filename;
};
struct io_statx {
    int dfd;
    __u32 mask, flags;
    struct filename *filename;
};
struct io_statx___delayed {
    struct delayed_filename filename;
};
struct io_rename {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};
struct io_rename___delayed {
    struct delayed_filename oldpath, newpath;
};
struct io_link {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};
struct io_link___delayed {
    struct delayed_filename oldpath, newpath;
};

struct io_accept {
    void *addr;
    int *addr_len;
    int flags;
    __u32 file_slot;
};
struct io_connect {
    void *addr;
    int addr_len;
};
struct io_socket {
    int domain, type, protocol, flags;
    __u32 file_slot;
};
struct io_bind {
    int addr_len;
};
struct io_listen {
    int backlog;
};
struct io_shutdown {
    int how;
};
struct __kernel_sockaddr_storage {
    __u16 ss_family;
};
struct io_async_msghdr {
    struct __kernel_sockaddr_storage addr;
};
struct io_sr_msg {
    void *umsg, *buf;
    __u32 len, msg_flags;
    void *addr;
    int addr_len;
};
struct io_rw {
    __u64 addr;
    __u32 len;
};
struct io_splice {
    __s64 off_out, off_in;
    __u64 len;
    int splice_fd_in;
    __u32 flags;
};

#pragma clang attribute pop

/* A member of an operation's structure; 0 on kernels that lack it. */
#define OPTIONAL(type, object, field) \
    (FIELD_EXISTS(struct type, field) ? READ((struct type *)(object), field) : 0)

#endif
