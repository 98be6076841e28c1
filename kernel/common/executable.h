/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the kernel tells of a process's credentials and of its executable. */
#ifndef TIERCEL_KERNEL_COMMON_EXECUTABLE_H
#define TIERCEL_KERNEL_COMMON_EXECUTABLE_H

#include "kernel/common/files.h"

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
    case CAPTURE_cap_effective: READ_INTO(&set.whole, cred, cap_effective); break;
    }
    return set.whole; /* two little-endian halves and one 64-bit number are the same bytes */
}

/* --- whether the process may write to its own executable --------------------------------------------- */
#define GROUP_SEARCH_DEPTH 16 /* NGROUPS_MAX is 65,536 */

struct group_search {
    const struct group_info *groups;
    __u32 left, right, wanted, found;
};

/* One step of a binary search: the kernel keeps the groups sorted. kernel/groups.c, groups_search(). */
STEP int group_step(__u32 k, void *context)
{
    struct group_search *s = context;
    __u32 middle = (s->left + s->right) / 2, gid = 0;

    if (s->left >= s->right)
        return 1;
    read_kernel(&gid, sizeof(gid),
                (const char *)s->groups + FIELD_OFFSET(struct group_info, gid) + 4ull * middle);
    s->found = gid == s->wanted;
    if (gid < s->wanted)
        s->left = middle + 1;
    else
        s->right = middle;
    return s->found;
}

static __always_inline int in_groups(const struct cred *cred, __u32 gid)
{
    const struct group_info *groups = READ(cred, group_info);
    struct group_search s = {.groups = groups, .right = READ(groups, ngroups), .wanted = gid};

    REPEAT(GROUP_SEARCH_DEPTH, group_step, &s);
    return s.found;
}

/* fs/namei.c, acl_permission_check() for MAY_WRITE, without POSIX ACLs. */
static __always_inline int exe_writable(struct task_struct *task, struct inode *inode)
{
    const struct cred *cred = READ(task, cred);
    __u32 mode = READ(inode, i_mode), uid = READ(inode, i_uid.val), gid = READ(inode, i_gid.val);
    __u64 caps = capability_set(task, CAPTURE_cap_effective);

    if (READ(inode, i_sb, s_flags) & SB_RDONLY || READ(inode, i_flags) & S_IMMUTABLE)
        return 0;
    if (uid == READ(cred, fsuid.val))
        return 1;
    if (gid == READ(cred, fsgid.val) || in_groups(cred, gid))
        mode >>= 3;
    if (mode & 2)
        return 1;
    return (caps & (1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER)) != 0;
}

static __always_inline __u32 exe_flags(struct task_struct *task)
{
    struct file *file = READ(task, mm, exe_file);
    enum overlay_layer layer;
    __u32 flags = 0;

    if (!file)
        return 0;
    layer = overlay_layer(file);
    if (exe_writable(task, READ(file, f_inode)))
        flags |= 1;
    if (layer == OVERLAY_UPPER)
        flags |= 2;
    if (is_memfd(file))
        flags |= 4;
    if (layer == OVERLAY_LOWER)
        flags |= 8;
    return flags;
}

#endif
