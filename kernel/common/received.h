/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Descriptors that a call brings from another process: SCM_RIGHTS of recvmsg and recvmmsg, and pidfd_getfd.
 * Before the call's own event, a driver gives the ITER_TASK_FILE_* event of each, as if an iterator listed
 * it. It does the same for the descriptors that the kernel filter names, unless they are sockets.
 */
#ifndef TIERCEL_KERNEL_COMMON_RECEIVED_H
#define TIERCEL_KERNEL_COMMON_RECEIVED_H

#include "kernel/common/messages.h"
#include "kernel/common/prefilter.h"

#define RECEIVED_STEPS 260 /* include/net/scm.h: SCM_MAX_FD is 253; and some headers */
#define CONTROL_MAX 65536
#define LEVEL_SOCKET 1 /* SOL_SOCKET; include/linux/socket.h */
#define TYPE_RIGHTS 1  /* SCM_RIGHTS */
#define NO_DESCRIPTOR (-1)
#define NO_MORE (-2)

static __always_inline int brings_descriptors(__u16 index)
{
    return index == INDEX_SOCKET_RECVMSG_X || index == INDEX_SOCKET_RECVMMSG_X ||
           index == INDEX_SYSCALL_PIDFD_GETFD_X;
}

/* Whether next_received() may find descriptors for the event `index`. */
static __always_inline int tells_descriptors(const struct capture *c, __u16 index)
{
    return brings_descriptors(index) || told_arguments(c, index);
}

/* Goes on to the control data of the next message. Returns 0 if there is none. */
static __always_inline int open_message(struct capture *c)
{
    __u64 message = c->received.message, size;

    if (!c->received.messages)
        return 0;
    c->received.messages--;
    c->received.message = message + (c->compat ? 32 : 64); /* struct mmsghdr: message_address() */
    size = message_field(c, message, 5);                   /* the kernel has stored the length that it used */
    if (size > CONTROL_MAX)
        size = 0;
    c->received.header = message_field(c, message, 4);
    c->received.end = c->received.header + size;
    return 1;
}

/* Prepares next_received() for the finished call in `c`. Returns 0 if there can be no descriptors to tell. */
NOINLINE int begin_received(__u32 slot)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    c->received.left = c->received.messages = 0;
    c->received.header = c->received.end = 0;
    c->received.returned = NO_DESCRIPTOR;
    c->received.told = told_arguments(c, c->index);
    if (c->ret < 0 || !brings_descriptors(c->index))
        return c->received.told != 0;
    if (c->index == INDEX_SYSCALL_PIDFD_GETFD_X) {
        c->received.returned = c->ret;
        return 1;
    }
    c->received.message = argument(c, 1);
    c->received.messages = c->index == INDEX_SOCKET_RECVMMSG_X ? c->ret : 1;
    return 1;
}

/* struct cmsghdr of include/linux/socket.h: the length, a long of the caller's ABI, level and type. */
static __always_inline __s32 read_control(struct capture *c)
{
    __u32 word = c->compat ? 4 : 8, head = word + 8;
    __u64 len, at = c->received.header;

    len = at + head > c->received.end ? 0 : user_long(c, at, 0);
    if (len < head || len > CONTROL_MAX)
        return open_message(c) ? NO_DESCRIPTOR : NO_MORE;
    c->received.header = at + ((len + word - 1) & ~(__u64)(word - 1));
    if (user_u32(at + word) == LEVEL_SOCKET && user_u32(at + word + 4) == TYPE_RIGHTS) {
        c->received.descriptor = at + head;
        c->received.left = (__u32)(len - head) / 4;
    }
    return NO_DESCRIPTOR;
}

/* The next argument that the filter names, unless it is a socket. */
static __always_inline __s32 next_told(struct capture *c)
{
    for (__u32 n = 0; n < 6; n++) {
        __s32 fd;

        if (!(c->received.told >> n & 1))
            continue;
        c->received.told &= ~(1u << n);
        fd = signed_argument(c, n);
        if (fd < 0 || file_kind(c, fd) & (TIERCEL_FILE_TCP | TIERCEL_FILE_SOCKET))
            return NO_DESCRIPTOR;
        return fd;
    }
    return NO_DESCRIPTOR;
}

/* Returns the next descriptor, or NO_DESCRIPTOR if this step has found none, or NO_MORE. */
NOINLINE int next_received(__u32 slot)
{
    struct capture *c = capture_at(slot);
    __s32 fd;

    if (!c)
        return NO_MORE;
    if (c->received.told)
        return next_told(c);
    fd = c->received.returned;
    if (fd >= 0) {
        c->received.returned = NO_DESCRIPTOR;
        return fd;
    }
    if (!c->received.left)
        return read_control(c);
    fd = user_u32(c->received.descriptor);
    c->received.descriptor += 4;
    c->received.left--;
    return fd < 0 ? NO_DESCRIPTOR : fd;
}

/* Sets in `c` what capture_file_event() reads. Returns 0 if there is no event for the file. */
NOINLINE int tell_received(__u32 slot, __s32 fd)
{
    struct capture *c = capture_at(slot);
    struct file *file = c ? file_of(c, fd) : NULL;
    __u32 index;

    if (!file)
        return 0;
    index = file_event(file);
    if (index >= INDEX_COUNT)
        return 0;
    c->subject = file;
    c->extra[0] = fd;
    c->index = index;
    return 1;
}

#endif
