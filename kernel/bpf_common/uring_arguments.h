/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * From a submitted io_uring request to the arguments of the system call that it stands for. The sources are
 * the prep functions of io_uring/ in the kernel, which have copied the submission into the operation's
 * structure.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_URING_ARGUMENTS_H
#define TIERCEL_KERNEL_BPF_COMMON_URING_ARGUMENTS_H

#include "kernel/bpf_common/uring_types.h"
#include "kernel/common/files.h"

/*
 * io_uring keeps files in a table of its own, by index. Such a file is told as this number plus its index,
 * which no descriptor reaches (fs.nr_open), so that the analyzer can name it when it is used.
 */
#define REGISTERED_FILES (1 << 30)
#define SPLICE_F_FD_IN_FIXED (1u << 31)
#define SEARCHED_FDS 128 /* descriptors among which a kernel before 5.19 looks for a request's file */
#define NO_ARGUMENT 7    /* the calls have at most six */
#define STRUCTURE_BYTES 112

enum uring_operation {
#define URING(name, opcode, plain, flagged) URING_##name = (opcode),
#include "shared/event/uring.def"
#undef URING
};

/* What is kept of a request between submission and completion. */
struct uring_request {
    __u64 args[6];
    struct io_kiocb *request;
    struct filename *names[2];
    __u32 tid;
    __u32 submitted_flags; /* of struct io_kiocb at submission */
    __s32 submitted_fd;    /* cqe.fd of it */
    __u32 file_slot;       /* the new file becomes a registered one; 0: a descriptor */
    __u16 call;            /* native number */
    __u8 compat;
    __u8 structure_arg, name_arg[2]; /* which arguments point to copies; NO_ARGUMENT: none */
    __u8 structure[STRUCTURE_BYTES];
};

/* The descriptor of a file that only its address names, or -1. */
static __always_inline __s32 search_fd(const struct capture *c, const struct file *file)
{
    if (file)
        for (__s32 fd = 0; fd < SEARCHED_FDS; fd++)
            if (file_of(c, fd) == file)
                return fd;
    return -1;
}

static __always_inline __s64 request_fd(const struct capture *c, struct io_kiocb *request)
{
    if (!FIELD_EXISTS(struct io_kiocb, cqe))
        return search_fd(c, READ(request, file));
    if (READ(request, flags) & IOSQE_FIXED_FILE)
        return REGISTERED_FILES + READ(request, cqe.fd);
    return READ(request, cqe.fd);
}

/* The file's name; bit 0 of struct delayed_filename is a mark. */
#define NAME_OF(type, request, field)                                                                     \
    ((struct filename *)(~1ull &                                                                          \
                         (FIELD_EXISTS(struct type, field) ? (__u64)READ((struct type *)(request), field) \
                          : FIELD_EXISTS(struct type##___delayed, field)                                  \
                              ? (__u64)READ((struct type##___delayed *)(request),                         \
                                            field.__incomplete_filename)                                  \
                              : 0)))

static __always_inline void set_name(struct uring_request *r, __u32 k, __u32 argument, struct filename *name)
{
    r->names[k & 1] = name;
    r->name_arg[k & 1] = argument;
}

static __always_inline void read_open(struct uring_request *r, void *request, int has_how)
{
    struct open_how how = {};

    READ_INTO(&how, (struct io_open *)request, how);
    how.flags &= ~(__u64)KERNEL_O_LARGEFILE; /* the kernel sets it for every 64-bit caller */
    r->args[0] = OPTIONAL(io_open, request, dfd);
    set_name(r, 0, 1, NAME_OF(io_open, request, filename));
    r->file_slot = OPTIONAL(io_open, request, file_slot);
    r->args[2] = how.flags;
    r->args[3] = how.mode;
    if (has_how) {
        __builtin_memcpy(r->structure, &how, sizeof(how));
        r->structure_arg = 2;
    }
}

static __always_inline void read_two_names(struct uring_request *r, void *request, int renames)
{
    if (renames) {
        r->args[0] = OPTIONAL(io_rename, request, old_dfd);
        r->args[2] = OPTIONAL(io_rename, request, new_dfd);
        r->args[4] = OPTIONAL(io_rename, request, flags);
        set_name(r, 0, 1, NAME_OF(io_rename, request, oldpath));
        set_name(r, 1, 3, NAME_OF(io_rename, request, newpath));
        return;
    }
    r->args[0] = OPTIONAL(io_link, request, old_dfd);
    r->args[2] = OPTIONAL(io_link, request, new_dfd);
    r->args[4] = OPTIONAL(io_link, request, flags);
    set_name(r, 0, 1, NAME_OF(io_link, request, oldpath));
    set_name(r, 1, 3, NAME_OF(io_link, request, newpath));
}

/* Other operations on names. Returns 0 if the operation is none of them. */
static __always_inline int read_path_operation(struct uring_request *r, __u32 opcode, void *request)
{
    switch (opcode) {
    case URING_UNLINKAT:
        r->args[0] = OPTIONAL(io_unlink, request, dfd);
        r->args[2] = OPTIONAL(io_unlink, request, flags);
        set_name(r, 0, 1, NAME_OF(io_unlink, request, filename));
        return 1;
    case URING_MKDIRAT:
        r->args[0] = OPTIONAL(io_mkdir, request, dfd);
        r->args[2] = OPTIONAL(io_mkdir, request, mode);
        set_name(r, 0, 1, NAME_OF(io_mkdir, request, filename));
        return 1;
    case URING_STATX:
        r->args[0] = OPTIONAL(io_statx, request, dfd);
        r->args[2] = OPTIONAL(io_statx, request, flags);
        r->args[3] = OPTIONAL(io_statx, request, mask);
        set_name(r, 0, 1, NAME_OF(io_statx, request, filename));
        return 1;
    case URING_SYMLINKAT:
        r->args[1] = OPTIONAL(io_link, request, new_dfd);
        set_name(r, 0, 0, NAME_OF(io_link, request, oldpath));
        set_name(r, 1, 2, NAME_OF(io_link, request, newpath));
        return 1;
    case URING_OPENAT: read_open(r, request, 0); return 1;
    case URING_OPENAT2: read_open(r, request, 1); return 1;
    case URING_RENAMEAT: read_two_names(r, request, 1); return 1;
    case URING_LINKAT: read_two_names(r, request, 0); return 1;
    default: return 0;
    }
}

/* Bytes of a structure that are kept; opaque(), because the bound has to reach the helper's call. */
static __always_inline __u32 kept_bytes(__u64 len)
{
    __u32 bytes = opaque(len);

    return bytes > STRUCTURE_BYTES ? STRUCTURE_BYTES : bytes;
}

/*
 * bind's address is in the kernel already: at the start of the request's async data, or in a struct
 * io_async_msghdr, which starts with a pointer or zeros.
 */
static __always_inline void read_bind_address(struct uring_request *r, struct io_kiocb *request)
{
    const char *data = READ(request, async_data);
    __u64 first = 0;

    read_kernel(&first, sizeof(first), data);
    if ((!first || first >> 48 == 0xffff) && FIELD_EXISTS(struct io_async_msghdr, addr))
        data = (const char *)ADDRESS_OF((struct io_async_msghdr *)data, addr);
    read_kernel(r->structure, kept_bytes(r->args[2]), data);
    r->structure_arg = 1;
}

static __always_inline void read_connect_address(struct uring_request *r)
{
    if (!read_user(r->structure, kept_bytes(r->args[2]), r->args[1]))
        r->structure_arg = 1;
}

static __always_inline void read_socket_operation(struct uring_request *r, __u32 opcode, void *request)
{
    switch (opcode) {
    case URING_SOCKET:
        r->args[0] = OPTIONAL(io_socket, request, domain);
        r->args[1] = OPTIONAL(io_socket, request, type);
        r->args[2] = OPTIONAL(io_socket, request, protocol);
        r->file_slot = OPTIONAL(io_socket, request, file_slot);
        break;
    case URING_ACCEPT:
        r->args[1] = (__u64)OPTIONAL(io_accept, request, addr);
        r->args[2] = (__u64)OPTIONAL(io_accept, request, addr_len);
        r->args[3] = OPTIONAL(io_accept, request, flags);
        r->file_slot = OPTIONAL(io_accept, request, file_slot);
        break;
    case URING_CONNECT:
        r->args[1] = (__u64)OPTIONAL(io_connect, request, addr);
        r->args[2] = OPTIONAL(io_connect, request, addr_len);
        read_connect_address(r);
        break;
    case URING_BIND:
        r->args[2] = OPTIONAL(io_bind, request, addr_len);
        read_bind_address(r, request);
        break;
    case URING_LISTEN: r->args[1] = OPTIONAL(io_listen, request, backlog); break;
    case URING_SHUTDOWN: r->args[1] = OPTIONAL(io_shutdown, request, how); break;
    case URING_SENDMSG:
    case URING_SENDMSG_ZC:
    case URING_RECVMSG:
        r->args[1] = (__u64)OPTIONAL(io_sr_msg, request, umsg);
        r->args[2] = OPTIONAL(io_sr_msg, request, msg_flags);
        break;
    case URING_SEND:
    case URING_SEND_ZC:
        r->args[4] = (__u64)OPTIONAL(io_sr_msg, request, addr);
        if (FIELD_EXISTS(struct io_sr_msg, addr_len)) /* 2 bytes in some kernels, 4 in others */
            r->args[5] = BITFIELD((struct io_sr_msg *)request, addr_len);
        /* fallthrough */
    case URING_RECV:
        r->args[1] = (__u64)OPTIONAL(io_sr_msg, request, buf);
        r->args[2] = OPTIONAL(io_sr_msg, request, len);
        r->args[3] = OPTIONAL(io_sr_msg, request, msg_flags);
        break;
    default: break;
    }
}

static __always_inline void read_splice(struct uring_request *r, void *request)
{
    __u32 flags = OPTIONAL(io_splice, request, flags);

    r->args[2] = r->args[0];
    r->args[0] =
        FIELD_EXISTS(struct io_splice, splice_fd_in) ? READ((struct io_splice *)request, splice_fd_in) : -1;
    if (flags & SPLICE_F_FD_IN_FIXED)
        r->args[0] += REGISTERED_FILES;
    r->args[4] = OPTIONAL(io_splice, request, len);
    r->args[5] = flags & ~SPLICE_F_FD_IN_FIXED;
}

static __always_inline void read_close(struct uring_request *r, void *request)
{
    r->file_slot = OPTIONAL(io_close, request, file_slot);
    r->args[0] = r->file_slot ? REGISTERED_FILES + r->file_slot - 1 : OPTIONAL(io_close, request, fd);
    r->file_slot = 0; /* the result is no descriptor */
}

/* Fills in what the operation's structure tells. `r` is zeroed, its request is set. */
static __always_inline void read_operation(struct uring_request *r, const struct capture *c, __u32 opcode,
                                           struct io_kiocb *request)
{
    r->structure_arg = r->name_arg[0] = r->name_arg[1] = NO_ARGUMENT;
    if (read_path_operation(r, opcode, request))
        return;
    if (opcode == URING_CLOSE)
        return read_close(r, request);
    r->args[0] = request_fd(c, request);
    if (opcode == URING_SPLICE)
        return read_splice(r, request);
    if (opcode == URING_READ || opcode == URING_WRITE || opcode == URING_READV || opcode == URING_WRITEV ||
        opcode == URING_READ_FIXED || opcode == URING_WRITE_FIXED) {
        r->args[1] = OPTIONAL(io_rw, request, addr);
        r->args[2] = OPTIONAL(io_rw, request, len);
        return;
    }
    read_socket_operation(r, opcode, request);
}

/* Whether the operation has flags, for which shared/event/uring.def may name another call. */
static __always_inline int has_flags(const struct uring_request *r, __u32 opcode)
{
    return (opcode == URING_ACCEPT && r->args[3]) || (opcode == URING_RENAMEAT && r->args[4]);
}

#endif
