/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The TASK captures: the state of one thread, c->task. For syscalls and exec it is current; for a new
 * child and for iterators it is another one. Memory of the process (command line, environment) is read
 * through current, so only captures about current's address space may ask for it.
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURE_TASK_H
#define TIERCEL_KERNEL_COMMON_CAPTURE_TASK_H

#include "kernel/common/capture_socket.h"

#define PAGE_KIB 4
#define ARGV_MAX_KEPT 32 /* arguments of a failed exec that are looked at */

/* --- ids ----------------------------------------------------------------------------------------- */
static __always_inline struct pid *pid_of(struct task_struct *task, enum pid_type type)
{
    return type == PIDTYPE_PID ? READ(task, thread_pid) : READ(task, signal, pids[type]);
}

/* As its own pid namespace numbers it: the innermost level. kernel/pid.c, pid_vnr(). */
static __always_inline __s32 id_in_namespace(struct pid *pid)
{
    struct upid innermost = {};
    __u32 level = READ(pid, level);

    read_kernel(&innermost, sizeof(innermost),
                (const char *)pid + FIELD_OFFSET(struct pid, numbers) + level * sizeof(innermost));
    return innermost.nr;
}

static __always_inline __s32 global_id(struct pid *pid)
{
    return READ(pid, numbers[0].nr);
}

/* Start of the init of the task's pid namespace, ns since boot. */
static __always_inline __u64 pidns_start(struct task_struct *task)
{
    struct pid *pid = READ(task, thread_pid);
    struct upid innermost = {};

    read_kernel(&innermost, sizeof(innermost),
                (const char *)pid + FIELD_OFFSET(struct pid, numbers) + READ(pid, level) * sizeof(innermost));
    return READ(innermost.ns, child_reaper, start_time);
}

/* --- memory ---------------------------------------------------------------------------------------- */
static __always_inline __u64 memory_kib(struct task_struct *task, __u8 capture)
{
    struct mm_struct *mm = READ(task, mm);

    if (!mm)
        return 0;
    switch (capture) {
    case CAPTURE_vm_size: return READ(mm, total_vm) * PAGE_KIB;
    case CAPTURE_vm_swap: return mm_pages(mm, MM_SWAPENTS) * PAGE_KIB;
    default:
        return (mm_pages(mm, MM_FILEPAGES) + mm_pages(mm, MM_ANONPAGES) + mm_pages(mm, MM_SHMEMPAGES)) *
               PAGE_KIB;
    }
}

/* --- command line and environment -------------------------------------------------------------------- */
static __always_inline int put_memory(struct capture *c, __u32 i, __u64 from, __u64 to)
{
    __u32 at = value_start(c);
    __u64 len = to - from;

    if (!from || to <= from)
        return no_value(c, i);
    if (len > TEXT_MAX)
        len = TEXT_MAX;
    if (read_user(&c->buf[at], len, from))
        return no_value(c, i);
    c->buf[at + ((len - 1) & (TEXT_MAX - 1))] = 0; /* what is cut is still text */
    return end_value(c, i, len);
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

/* Puts the texts that c->vector's pointers point to, one after the other, as parameter `i`. */
NOINLINE int put_text_vector(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    c->cursor = 0;
    REPEAT(ARGV_MAX_KEPT, text_vector_step, &slot);
    return end_value(c, i, c->cursor);
}

/* What an exec that failed was asked to run: an array of pointers in the caller's memory. */
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
        if (p.capture == CAPTURE_args)
            return put_argv(c, i, argument(c, 1 + shift), 1, ARGV_MAX_KEPT);
        return put_argv(c, i, argument(c, 2 + shift), 0, ARGV_MAX_KEPT);
    }
    mm = READ(task, mm);
    if (p.capture == CAPTURE_env)
        return put_memory(c, i, READ(mm, env_start), READ(mm, env_end));
    from = READ(mm, arg_start);
    to = READ(mm, arg_end);
    if (p.capture == CAPTURE_exe) {
        __s64 n = from ? read_user_text(&c->buf[value_start(c)], TEXT_MAX, from) : 0;

        c->extra[0] = n > 0 ? n : 0; /* args starts behind it */
        return end_value(c, i, n > 0 ? n : 0);
    }
    return put_memory(c, i, from + c->extra[0], to);
}

/* --- control groups --------------------------------------------------------------------------------------
 */
#define CGROUP_DEPTH 16

/* Puts the name of c->node in front of the path in tmp and goes up; 1: at the top. */
STEP int cgroup_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    struct kernfs_node *node, *parent;
    __u32 len, front;
    __s64 n;

    if (!c)
        return 1;
    node = c->node;
    parent = node_parent(node);
    if (!parent)
        return 1;
    /* kernfs names have no stored length: read to learn it, then again in place */
    n = read_kernel_text(&c->tmp[WALK_END], 256, READ(node, name));
    len = (n - 1) & 0xff;
    front = opaque(c->cursor - len - 1);
    if (n <= 1 || front > WALK_END)
        return 1;
    read_kernel(&c->tmp[front + 1], len, &c->tmp[WALK_END]);
    c->tmp[front] = '/';
    c->cursor = front;
    c->node = parent;
    return 0;
}

/* Appends the path of c->node, with its NUL, at c->total of buf, and moves that on. */
NOINLINE int put_cgroup(__u32 slot)
{
    struct capture *c = capture_at(slot);
    __u32 front, at;
    __s64 n;

    if (!c)
        return 0;
    c->cursor = WALK_END;
    REPEAT(CGROUP_DEPTH, cgroup_step, &slot);
    front = opaque(c->cursor);
    if (front >= WALK_END) {
        front = WALK_END - 1;
        c->tmp[front] = '/';
    }
    c->tmp[WALK_END] = 0;
    at = opaque(c->total);
    if (at > EVENT_MAX)
        return 0;
    n = read_kernel_text(&c->buf[at], TEXT_MAX, &c->tmp[front]);
    if (n > 0)
        c->total = at + n;
    return 0;
}

/* Appends "controller=path" at c->total. */
#define PUT_CONTROLLER(c, set, name)                                             \
    do {                                                                         \
        int id = CONTROLLER(name);                                               \
        struct cgroup_subsys_state *css = id < 0 ? NULL : READ(set, subsys[id]); \
        __u32 at = opaque((c)->total);                                           \
                                                                                 \
        if (css && at <= EVENT_MAX) {                                            \
            __builtin_memcpy(&(c)->buf[at], #name "=", sizeof(#name));           \
            (c)->total = at + sizeof(#name);                                     \
            (c)->node = READ(css, cgroup, kn);                                   \
            put_cgroup((c)->slot);                                               \
        }                                                                        \
    } while (0)

static __always_inline int put_cgroups(struct capture *c, __u32 i)
{
    struct task_struct *task = c->task;
    struct css_set *set = READ(task, cgroups);
    __u32 start = value_start(c);

    c->total = start;
    PUT_CONTROLLER(c, set, cpuset);
    PUT_CONTROLLER(c, set, cpu);
    PUT_CONTROLLER(c, set, cpuacct);
    PUT_CONTROLLER(c, set, io);
    PUT_CONTROLLER(c, set, memory);
    return end_value(c, i, c->total - start);
}

/* --- credentials -------------------------------------------------------------------------------------- */
static __always_inline __u64 capability_set(struct task_struct *task, __u8 capture)
{
    const struct cred *cred = READ(task, cred);
    union {
        __u32 halves[2];
        __u64 whole;
    } set = {};

    switch (capture) {
    case CAPTURE_cap_inheritable: READ_INTO(&set.whole, cred, cap_inheritable); break;
    case CAPTURE_cap_permitted: READ_INTO(&set.whole, cred, cap_permitted); break;
    default: READ_INTO(&set.whole, cred, cap_effective); break;
    }
    return set.whole; /* two little-endian halves and one 64-bit number are the same bytes */
}

/* --- the controlling terminal ------------------------------------------------------------------------- */
static __always_inline __u32 terminal(struct task_struct *task)
{
    struct tty_struct *tty = READ(task, signal, tty);
    __u32 major, minor;

    if (!tty)
        return 0;
    major = READ(tty, driver, major);
    minor = READ(tty, driver, minor_start) + READ(tty, index);
    return convert_dev(major << 20 | minor);
}

#endif
