/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The ARGUMENT captures: numbers that the syscall's registers hold. All drivers share them. */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_ARGUMENT_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_ARGUMENT_H

#include "kernel/common/capture.h"
#include "kernel/common/convert.h"

static __always_inline __u64 quota_id(__u64 command, __u64 id)
{
    __u16 cmd = convert_quota_cmd(command);

    /* Q_GETQUOTA, Q_SETQUOTA, Q_XGETQUOTA, Q_XSETQLIM */
    return cmd & (32 | 64 | 1024 | 2048) ? id : 0;
}

/* Converts commands and flags whose numbers differ in the schema. */
static __always_inline __u64 converted_argument(const struct capture *c, __u8 capture, __u64 a, __u64 b)
{
    switch (capture) {
    case CAPTURE_socket_flags: return convert_socket_flags(a);
    case CAPTURE_plain_open_flags: return convert_plain_open_flags(a);
    case CAPTURE_open_mode: return convert_open_mode(a, b);
    case CAPTURE_create_mode: return a & 07777;
    case CAPTURE_clone_flags_arg: return convert_clone_flags(a);
    case CAPTURE_prot_flags: return convert_prot_flags(a);
    case CAPTURE_mmap_flags: return convert_mmap_flags(a);
    case CAPTURE_rlimit_resource: return a <= 15 ? a : 255;
    case CAPTURE_fcntl_cmd: return convert_fcntl_cmd(a);
    case CAPTURE_ptrace_request: return convert_ptrace_request(a);
    case CAPTURE_mount_flags: return (a & 0xffff0000) == 0xc0ed0000 ? a & 0xffff : a;
    case CAPTURE_semget_flags: return convert_semget_flags(a);
    case CAPTURE_semctl_cmd: return convert_semctl_cmd(a);
    case CAPTURE_semctl_value: return convert_semctl_cmd(a) == 4096 ? b : 0;
    case CAPTURE_sockopt_level: return convert_sockopt_level(a);
    case CAPTURE_sockopt_name: return convert_sockopt_name(a, b);
    case CAPTURE_quota_cmd: return convert_quota_cmd((__u32)a);
    case CAPTURE_quota_type: return convert_quota_type(a);
    case CAPTURE_quota_id: return quota_id((__u32)c->args[0], a);
    case CAPTURE_quota_format: return convert_quota_cmd((__u32)c->args[0]) == 1 ? convert_quota_format(a) : 1;
    case CAPTURE_epoll_flags: return MOVE(a, KERNEL_O_CLOEXEC, 1);
    case CAPTURE_fchownat_flags: return convert_fchownat_flags(a);
    case CAPTURE_pidfd_flags: return MOVE(a, KERNEL_O_NONBLOCK, 1);
    case CAPTURE_delete_module_flags: return MOVE(a, KERNEL_O_NONBLOCK, 2) | MOVE(a, 01000, 1);
    default: return 0;
    }
}

static __always_inline int capture_argument(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 a = argument(c, p.arg[0]);

    switch (p.capture) {
    case CAPTURE_ret: return put_number(c, i, c->ret, p.width);
    case CAPTURE_arg: return put_number(c, i, a, p.width);
    case CAPTURE_sarg: return put_number(c, i, (__s64)(__s32)a, p.width);
    case CAPTURE_zero: return put_number(c, i, 0, p.width);
    case CAPTURE_empty: return no_value(c, i);
    case CAPTURE_sarg_long: return put_number(c, i, c->compat ? (__u64)(__s64)(__s32)a : a, p.width);
    case CAPTURE_arg_pair: return put_number(c, i, (__u32)a | argument(c, p.arg[1]) << 32, p.width);
    case CAPTURE_pos:
        return put_number(c, i, c->compat ? (__u32)a | argument(c, p.arg[0] + 1) << 32 : a, p.width);
    case CAPTURE_syscall_id: return put_number(c, i, c->scap, p.width);
    case CAPTURE_native_id: return put_number(c, i, c->number, p.width);
    case CAPTURE_ptrace_addr: {
        __u32 at = value_start(c);

        put_u8(c, &at, 0); /* kind: a 64-bit number */
        put_u64(c, &at, c->ret < 0 ? 0 : a);
        return end_value(c, i, sizeof(__u8) + sizeof(__u64));
    }
    default: return put_number(c, i, converted_argument(c, p.capture, a, argument(c, p.arg[1])), p.width);
    }
}

#endif
