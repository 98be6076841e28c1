/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The OPTION captures: values in the caller's memory whose meaning depends on another argument, such as an
 * option, a request or a command. Values of type DYN start with one byte that says what follows
 * (shared/event/table.h, dynamic_type()).
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_OPTION_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_OPTION_H

#include "kernel/common/convert.h"
#include "kernel/common/user_memory.h"

/* --- prctl: include/uapi/linux/prctl.h -------------------------------------------------------- */
static __always_inline int capture_prctl(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 option = argument(c, p.arg[0]), value = argument(c, p.arg[1]);
    int text = option == 15 || option == 16; /* PR_SET_NAME, PR_GET_NAME */

    if (p.capture == CAPTURE_prctl_text)
        return text ? put_text(c, i, value) : no_value(c, i);
    if (text)
        return no_value(c, i);
    if (option == 37) /* PR_GET_CHILD_SUBREAPER writes to *arg2 */
        return put_number(c, i, user_u32(value), p.width);
    return put_number(c, i, value, p.width);
}

/* --- keyctl: include/uapi/linux/keyctl.h ------------------------------------------------------ */
static __always_inline int keyctl_is_text(__u64 operation, __u32 arg)
{
    switch (operation) {
    case 1: return arg == 1;              /* KEYCTL_JOIN_SESSION_KEYRING(name) */
    case 10: return arg == 2 || arg == 3; /* KEYCTL_SEARCH(keyring, type, description, destination) */
    case 29: return arg == 2 || arg == 3; /* KEYCTL_RESTRICT_KEYRING(keyring, type, restriction) */
    default: return 0;
    }
}

static __always_inline int capture_keyctl(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 operation = argument(c, p.arg[0]), value = argument(c, p.arg[1]);
    __u32 at = value_start(c);

    if (keyctl_is_text(operation, p.arg[1]) && value) {
        __s64 n;

        put_u8(c, &at, 1); /* text */
        n = read_user_text(&c->buf[at], TEXT_MAX, value);
        return end_value(c, i, n > 0 ? n + 1 : 0);
    }
    put_u8(c, &at, 0); /* a number */
    put_u64(c, &at, value);
    return end_value(c, i, sizeof(__u8) + sizeof(__u64));
}

/* --- fsconfig: enum fsconfig_command of include/uapi/linux/mount.h ----------------------------- */
static __always_inline int capture_fsconfig(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 command = argument(c, p.arg[0]), address = argument(c, p.arg[1]);

    switch (p.capture) {
    case CAPTURE_fsconfig_key: return command <= 5 ? put_text(c, i, address) : no_value(c, i);
    case CAPTURE_fsconfig_bytes: /* FSCONFIG_SET_BINARY: aux is the length */
        return command == 2 ? put_data(c, i, address, (__s32)c->args[4]) : no_value(c, i);
    default: /* FSCONFIG_SET_STRING, FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY */
        return command == 1 || command == 3 || command == 4 ? put_text(c, i, address) : no_value(c, i);
    }
}

/* --- socket options: include/uapi/asm-generic/socket.h ----------------------------------------- */
enum { OPTION_BYTES, OPTION_ERRNO, OPTION_NUMBER, OPTION_LONG, OPTION_TIME };

static __always_inline __u8 sockopt_kind(__u64 level, __u64 name)
{
    if (level != 1) /* SOL_SOCKET */
        return OPTION_BYTES;
    switch (name) {
    case 4: return OPTION_ERRNO; /* SO_ERROR */
    case 20:
    case 21: return OPTION_TIME; /* SO_RCVTIMEO, SO_SNDTIMEO: timeval */
    case 57: return OPTION_LONG; /* SO_COOKIE */
    case 1 ... 3:
    case 5 ... 12:
    case 15:
    case 16:
    case 18:
    case 19:
    case 29 ... 30:
    case 32 ... 50: return OPTION_NUMBER;
    default: return OPTION_BYTES;
    }
}

static __always_inline int put_sockopt(struct capture *c, __u32 i, __u64 address, __u64 len)
{
    __u8 kind = sockopt_kind(c->args[1], c->args[2]);
    __u32 at = value_start(c), start = at;

    put_u8(c, &at, kind);
    switch (kind) {
    case OPTION_ERRNO: put_u64(c, &at, -(__s64)(__s32)user_u32(address)); break;
    case OPTION_NUMBER: put_u32(c, &at, user_u32(address)); break;
    case OPTION_LONG: put_u64(c, &at, user_u64(address)); break;
    case OPTION_TIME:
        put_u64(c, &at, user_long(c, address, 0) * 1000000000ull + user_long(c, address, 1) * 1000);
        break;
    default:
        if (len > config_of(c)->snaplen)
            len = config_of(c)->snaplen;
        if (len > EVENT_MAX)
            len = EVENT_MAX;
        if (len && !read_user(&c->buf[at], len, address))
            at += len;
        break;
    }
    return end_value(c, i, at - start);
}

/* After a failed getsockopt the value is only its kind, because the call has not written the buffer. */
static __always_inline int capture_sockopt(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 len = argument(c, p.arg[1]);

    if (p.capture == CAPTURE_sockopt_value_at)
        len = c->ret < 0 ? 0 : user_u32(len);
    return put_sockopt(c, i, argument(c, p.arg[0]), len);
}

/* --- ptrace -------------------------------------------------------------------------------------- */
static __always_inline int capture_ptrace_data(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 request = argument(c, p.arg[0]), data = argument(c, p.arg[1]);
    __u32 at = value_start(c), start = at;

    if (c->ret >= 0 && (request == 7 || request == 9 || request == 17 || request == 24)) {
        put_u8(c, &at, 1); /* PTRACE_CONT, SINGLESTEP, DETACH, SYSCALL: a signal */
        put_u8(c, &at, data);
    } else {
        put_u8(c, &at, 0);
        if (c->ret < 0)
            data = 0;
        else if (request >= 1 && request <= 3) /* PTRACE_PEEK*: the kernel wrote the word to *data */
            data = user_long(c, data, 0);
        put_u64(c, &at, data);
    }
    return end_value(c, i, at - start);
}

/* --- quotactl: struct if_dqblk, struct if_dqinfo of include/uapi/linux/quota.h --------------------- */
#define QUOTA_HAS_LIMITS (32 | 64) /* Q_GETQUOTA, Q_SETQUOTA */
#define QUOTA_HAS_INFO (8 | 16)    /* Q_GETINFO, Q_SETINFO */

/* if_dqblk: bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime. */
static __always_inline __u64 quota_limit(__u64 address, __u32 n)
{
    return user_u64(address + 8 * (n < 5 ? n : n + 1));
}

static __always_inline int capture_quota(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 command = (__u32)c->args[0], address = c->args[3];
    __u16 cmd = convert_quota_cmd(command);
    __u64 value = 0;

    switch (p.capture) {
    case CAPTURE_quota_special: return put_text(c, i, argument(c, p.arg[0]));
    case CAPTURE_quota_file: return cmd == 1 ? put_text(c, i, address) : no_value(c, i);
    case CAPTURE_quota_dqblk:
        if (c->ret >= 0 && (cmd & QUOTA_HAS_LIMITS))
            value = quota_limit(address, p.arg[0]);
        return put_number(c, i, value, p.width);
    case CAPTURE_quota_dqinfo: /* bgrace, igrace: 64 bits; flags: 32 */
        if (c->ret >= 0 && (cmd & QUOTA_HAS_INFO))
            value = p.arg[0] < 2 ? user_u64(address + 8 * p.arg[0]) : user_u32(address + 16);
        return put_number(c, i, value, p.width);
    case CAPTURE_quota_format_out:
        value = cmd == 4 && c->ret >= 0 ? convert_quota_format(user_u32(address)) : 1;
        return put_number(c, i, value, p.width);
    default: return no_value(c, i);
    }
}

static __always_inline int capture_option(struct capture *c, __u32 i, struct tiercel_param p)
{
    switch (p.capture) {
    case CAPTURE_prctl_text:
    case CAPTURE_prctl_value: return capture_prctl(c, i, p);
    case CAPTURE_keyctl_arg: return capture_keyctl(c, i, p);
    case CAPTURE_fsconfig_key:
    case CAPTURE_fsconfig_bytes:
    case CAPTURE_fsconfig_text: return capture_fsconfig(c, i, p);
    case CAPTURE_sockopt_value:
    case CAPTURE_sockopt_value_at: return capture_sockopt(c, i, p);
    case CAPTURE_ptrace_data: return capture_ptrace_data(c, i, p);
    default: return capture_quota(c, i, p);
    }
}

#endif
