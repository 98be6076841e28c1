/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The control groups of a thread: "controller=path" of five controllers, as a capture puts them. */
#ifndef TIERCEL_KERNEL_COMMON_CGROUPS_H
#define TIERCEL_KERNEL_COMMON_CGROUPS_H

#include "kernel/common/files.h"

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

#endif
