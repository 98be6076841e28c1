/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Paths from the kernel's own objects: from a dentry and its mount up to a root directory, as fs/d_path.c,
 * prepend_path() goes. No lock is taken, so a concurrent rename can give a path that mixes two moments.
 */
#ifndef TIERCEL_KERNEL_COMMON_PATHS_H
#define TIERCEL_KERNEL_COMMON_PATHS_H

#include "kernel/common/capture.h"

#define PATH_COMPONENTS 48 /* deeper paths lose their first components */
#define ORIGIN_STEPS 64    /* components and mounts of a path without bind mounts */

/* Paths are built backwards in tmp from here; c->cursor is the first byte. One component fits behind it. */
#define WALK_END 4096

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
    return (struct mount *)((char *)mnt - FIELD_OFFSET(struct mount, mnt));
}

/* Puts one component in front of the path in tmp. Returns 0 at the file system's root, or without room. */
static __always_inline int walk_component(struct capture *c)
{
    struct dentry *dentry = c->path.at, *parent = FIELD(struct dentry, dentry, d_parent);
    __u32 len, at;

    if (parent == dentry || !parent) {
        c->path.complete = 1;
        return 0;
    }
    len = FIELD(struct dentry, dentry, d_name.len) & 0xff;
    at = opaque(c->cursor - len - 1);
    if (at > WALK_END) /* below the start wraps around to above the end */
        return 0;
    read_kernel(&c->tmp[at + 1], len, FIELD(struct dentry, dentry, d_name.name));
    c->tmp[at] = '/';
    c->cursor = at;
    c->path.at = parent;
    return 1;
}

/*
 * Goes from a mount's root to where it is mounted. Returns 0 at the top. A mount of a part of a file system,
 * or of a file system that is also mounted further up, is a bind mount; a third mount may lie in one.
 */
static __always_inline int leave_mount(struct capture *c)
{
    struct mount *mount = c->path.mount, *up = FIELD(struct mount, mount, mnt_parent);
    struct dentry *root = c->path.mount_root, *up_root;

    if (FIELD(struct dentry, root, d_parent) != root)
        c->path.bound = 1;
    if (up == mount || !up) {
        c->path.complete = 1;
        return 0;
    }
    up_root = FIELD(struct mount, up, mnt.mnt_root);
    if (FIELD(struct dentry, up_root, d_sb) == c->path.sb)
        c->path.bound = 1;
    c->path.crossed++;
    c->path.at = FIELD(struct mount, mount, mnt_mountpoint);
    c->path.mount = up;
    c->path.mount_root = up_root;
    return 1;
}

/*
 * Goes up to the parent mount or puts one component in front. Returns 1 at the top. The context of a step is
 * the number of the scratch area, which holds the position, so that the verifier looks at one turn only.
 */
STEP int walk_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    struct mount *mount;

    if (!c)
        return 1;
    mount = c->path.mount;
    if (c->path.at == c->path.root && ADDRESS_OF(mount, mnt) == c->path.root_mnt) {
        c->path.complete = 1;
        return 1;
    }
    return c->path.at == c->path.mount_root ? !leave_mount(c) : !walk_component(c);
}

/*
 * A step of the walk that passes over bind mounts: it goes up to the root of the file system, and goes on
 * from the highest mount above that shows all of it. `seen` goes up through the mounts, `whole` is the last
 * of them that does. Without one, the path starts at the file system's root.
 */
STEP int origin_step(__u32 k, void *slot)
{
    struct capture *c = capture_at(*(__u32 *)slot);
    struct mount *mount, *up;

    if (!c)
        return 1;
    mount = c->path.seen;
    if (!mount) {
        if (walk_component(c))
            return 0;
        c->path.seen = c->path.mount;
        c->path.whole = NULL;
        return !c->path.complete;
    }
    if (FIELD(struct mount, mount, mnt.mnt_root) == c->path.at)
        c->path.whole = mount;
    up = FIELD(struct mount, mount, mnt_parent);
    if (up != mount && up) {
        c->path.seen = up;
        return 0;
    }
    c->path.seen = NULL;
    mount = c->path.whole;
    up = mount ? FIELD(struct mount, mount, mnt_parent) : NULL;
    if (up == mount || !up)
        return 1;
    c->path.complete = 0;
    c->path.at = FIELD(struct mount, mount, mnt_mountpoint);
    c->path.mount = up;
    return 0;
}

static __always_inline int put_walked(struct capture *c, __u32 i)
{
    __u32 at = opaque(c->cursor);
    __s64 n;

    if (at >= WALK_END) {
        at = WALK_END - 1;
        c->tmp[at] = '/';
    }
    c->tmp[WALK_END] = 0;
    n = read_kernel_text(&c->buf[value_start(c)], TEXT_MAX, &c->tmp[at]);
    return end_value(c, i, n > 0 ? n : 0);
}

static __always_inline void begin_walk(struct capture *c)
{
    struct vfsmount *mnt = c->path.mnt;
    struct dentry *dentry = c->path.dentry;

    c->path.at = dentry;
    c->path.mount = mount_of(mnt);
    c->path.mount_root = FIELD(struct vfsmount, mnt, mnt_root);
    c->path.sb = FIELD(struct dentry, dentry, d_sb);
    c->path.seen = c->path.whole = NULL;
    c->path.crossed = c->path.complete = c->path.bound = 0;
    c->cursor = WALK_END;
}

/*
 * Puts c->path as parameter `i`, from c->path.root if it is set, else from the top of the mount tree. A file
 * outside any directory (a memfd) gives its bare name. Stores in c->path what the walk has found out.
 */
NOINLINE int put_walked_path(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);
    struct dentry *dentry;

    if (!c)
        return 0;
    begin_walk(c);
    dentry = c->path.dentry;
    if (FIELD(struct dentry, dentry, d_parent) == dentry && FIELD(struct dentry, dentry, d_name.len) > 1) {
        __s64 n =
            read_kernel_text(&c->buf[value_start(c)], TEXT_MAX, FIELD(struct dentry, dentry, d_name.name));

        c->path.complete = 1;
        c->cursor = 0; /* not the root */
        return end_value(c, i, n > 0 ? n : 0);
    }
    REPEAT(PATH_COMPONENTS, walk_step, &slot);
    return put_walked(c, i);
}

/* Puts c->path as parameter `i`, without bind mounts; no value if the path is too deep. */
NOINLINE int put_walked_origin(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);

    if (!c)
        return 0;
    begin_walk(c);
    REPEAT(ORIGIN_STEPS, origin_step, &slot);
    return c->path.complete ? put_walked(c, i) : no_value(c, i);
}

static __always_inline int put_path(struct capture *c, __u32 i, struct vfsmount *mnt, struct dentry *dentry,
                                    struct vfsmount *root_mnt, struct dentry *root)
{
    if (!mnt || !dentry)
        return no_value(c, i);
    c->path.mnt = mnt;
    c->path.dentry = dentry;
    c->path.root_mnt = root_mnt;
    c->path.root = root;
    return put_walked_path(c->slot, i);
}

/* Puts the path as the process sees it, from its own root directory. */
static __always_inline int put_visible_path(struct capture *c, __u32 i, struct vfsmount *mnt,
                                            struct dentry *dentry)
{
    struct task_struct *task = c->task;

    return put_path(c, i, mnt, dentry, READ(task, fs, root.mnt), READ(task, fs, root.dentry));
}

/* --- the kernel's paths beside the caller's text ------------------------------------------------------ */

static __always_inline int wants_paths(const struct capture *c)
{
    return (config_of(c)->tracepoints & TIERCEL_TP_PATHS) != 0;
}

/*
 * Puts the whole path from the top of the mount tree. It has no value if the path is too deep, or if it is
 * the root of a mount that is mounted nowhere, as pipes and namespaces have.
 */
static __always_inline int put_real_path(struct capture *c, __u32 i, struct vfsmount *mnt,
                                         struct dentry *dentry)
{
    struct task_struct *task = c->task;
    __u32 start = c->end;

    if (!mnt || !dentry)
        return no_value(c, i);
    put_path(c, i, mnt, dentry, NULL, NULL);
    if (c->path.complete && (c->cursor < WALK_END || dentry == READ(task, fs, root.dentry)))
        return 0;
    c->end = start;
    return no_value(c, i);
}

/* Puts the path of the same event's put_real_path() without bind mounts, if it may pass one. */
static __always_inline int put_origin_path(struct capture *c, __u32 i)
{
    return c->path.bound || c->path.crossed > 1 ? put_walked_origin(c->slot, i) : no_value(c, i);
}

#endif
