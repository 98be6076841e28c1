/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The COMMAND captures: command line and environment, and EXEC_NAME: what exec was asked for. They are the
 * memory of the process, which is read through current, so only captures about current's address space may
 * ask for it.
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_COMMAND_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_COMMAND_H

#include "kernel/common/user_memory.h"

#define ARGV_MAX_KEPT 32 /* arguments of a failed exec that are kept */

/* Puts at most `limit` bytes of memory, which is at most TIERCEL_ARGS_MAX. */
static __always_inline int put_memory(struct capture *c, __u32 i, __u64 from, __u64 to, __u32 limit)
{
    __u32 at = value_start(c);
    __u64 len = to - from;

    if (!from || to <= from)
        return no_value(c, i);
    if (len > limit)
        len = limit;
    if (len > TIERCEL_ARGS_MAX || read_user(&c->buf[at], len, from))
        return no_value(c, i);
    c->buf[at + ((len - 1) & (TIERCEL_ARGS_MAX - 1))] = 0; /* a cut text also ends with NUL */
    return end_value(c, i, len);
}

/* Puts memory as put_memory() does, but of too long a text both ends, with an argument "..." between them. */
static __always_inline int put_both_ends(struct capture *c, __u32 i, __u64 from, __u64 to)
{
    __u32 at = value_start(c), half = opaque(config_of(c)->args_max / 2);
    __u8 *middle;

    if (half < TEXT_MAX / 2 || half > TIERCEL_ARGS_MAX / 2)
        half = TEXT_MAX / 2;
    if (!from || to <= from || to - from <= 2 * half)
        return put_memory(c, i, from, to, 2 * half);
    if (read_user(&c->buf[at], half, from) || read_user(&c->buf[at + half], half, to - half))
        return no_value(c, i);
    middle = &c->buf[at + half - 5];
    middle[0] = middle[4] = 0;
    middle[1] = middle[2] = middle[3] = '.';
    c->buf[at + 2 * half - 1] = 0;
    return end_value(c, i, 2 * half);
}

STEP int text_vector_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    __u32 at, have;
    __u64 address;
    __s64 n;

    if (!c)
        return 1;
    at = value_start(c);
    have = opaque(c->cursor);
    if (k >= c->vector.count || have > TEXT_MAX)
        return 1;
    address = user_long(c, c->vector.base, k);
    if (!address)
        return 1;
    n = read_user_text(&c->buf[at + have], TEXT_MAX, address);
    if (n <= 0)
        return 1;
    c->cursor = have + n;
    return 0;
}

/* Puts the texts behind the pointers of c->vector, one after the other, as parameter `i`. */
NOINLINE int put_text_vector(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    c->cursor = 0;
    REPEAT(ARGV_MAX_KEPT, text_vector_step, &slot);
    return end_value(c, i, c->cursor);
}

/* Puts the arguments of a failed exec, from an array of pointers in the caller's memory. */
static __always_inline int put_argv(struct capture *c, __u32 i, __u64 argv, __u32 first, __u32 count)
{
    c->vector.base = argv + first * (c->compat ? 4 : 8);
    c->vector.count = count;
    return put_text_vector(c->slot, i);
}

static __always_inline int is_failed_exec(const struct capture *c)
{
    return (c->index == INDEX_SYSCALL_EXECVE_19_X || c->index == INDEX_SYSCALL_EXECVEAT_X) && c->ret < 0;
}

static __always_inline int capture_command(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u32 shift = c->index == INDEX_SYSCALL_EXECVEAT_X;
    struct task_struct *task = c->task;
    struct mm_struct *mm;
    __u64 from, to;

    if (is_failed_exec(c)) {
        if (p.capture == CAPTURE_exe)
            return put_argv(c, i, argument(c, 1 + shift), 0, 1);
        if (p.capture == CAPTURE_args_size)
            return no_value(c, i);
        if (p.capture == CAPTURE_args)
            return put_argv(c, i, argument(c, 1 + shift), 1, ARGV_MAX_KEPT);
        return put_argv(c, i, argument(c, 2 + shift), 0, ARGV_MAX_KEPT);
    }
    mm = READ(task, mm);
    if (p.capture == CAPTURE_env)
        return put_memory(c, i, READ(mm, env_start), READ(mm, env_end), TEXT_MAX);
    from = READ(mm, arg_start);
    to = READ(mm, arg_end);
    if (p.capture == CAPTURE_exe) {
        __s64 n = from ? read_user_text(&c->buf[value_start(c)], TEXT_MAX, from) : 0;

        c->extra[0] = n > 0 ? n : 0; /* the args capture starts behind it */
        return end_value(c, i, n > 0 ? n : 0);
    }
    from += c->extra[0];
    if (p.capture == CAPTURE_args_size)
        return put_number(c, i, from && to > from ? to - from : 0, p.width);
    return put_both_ends(c, i, from, to);
}

/* The EXEC_NAME capture: the path that was given to exec. */
static __always_inline int put_exec_filename(struct capture *c, __u32 i)
{
    const struct linux_binprm *binprm = c->subject;

    if (c->ret < 0)
        return put_text_argument(c, i, 0);
    return put_kernel_text(c, i, READ(binprm, filename), TEXT_MAX);
}

#endif
