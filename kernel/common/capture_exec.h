/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* TASK captures about the executable and about clone, and the switch over all TASK captures. */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURE_EXEC_H
#define TIERCEL_KERNEL_COMMON_CAPTURE_EXEC_H

#include "kernel/common/capture_task.h"

/* --- could the process write to its own executable? -------------------------------------------------- */
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

/* A memfd is the root of a tree of its own whose name starts with "memfd:" (mm/memfd.c). */
static __always_inline int is_memfd(struct file *file)
{
    struct dentry *dentry = READ(file, f_path.dentry);
    char name[8] = {};

    if (READ(dentry, d_parent) != dentry)
        return 0;
    read_kernel_text(name, 7, READ(dentry, d_name.name));
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' &&
           name[5] == ':';
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

/* --- clone -----------------------------------------------------------------------------------------------
 */

/* The flags of the call: clone's argument, the first field of clone3's structure, fixed for the others. */
static __always_inline __u32 clone_flags(struct capture *c)
{
    struct task_struct *task = c->task;
    struct pid *pid = READ(task, thread_pid);
    __u64 flags = 0;
    __u32 out;

    if (c->index == INDEX_SYSCALL_CLONE_20_X)
        flags = argument(c, 0);
    else if (c->index == INDEX_SYSCALL_CLONE3_X)
        flags = user_u64(argument(c, 0));
    else if (c->index == INDEX_SYSCALL_VFORK_20_X)
        flags = 0x00004100; /* CLONE_VFORK | CLONE_VM: kernel/fork.c, vfork */
    out = convert_clone_flags(flags);
    if (READ(pid, level))
        return out | SCAP_CLONE_CHILD_IN_PIDNS;
    if (c->ret > 0 && READ(task, nsproxy, pid_ns_for_children, level))
        out |= SCAP_CLONE_CHILD_IN_PIDNS;
    return out;
}

/* --- captures ---------------------------------------------------------------------------------------------
 */
static __always_inline int put_kernel_text(struct capture *c, __u32 i, const void *text, __u32 size)
{
    __s64 n = read_kernel_text(&c->buf[value_start(c)], size, text);

    return end_value(c, i, n > 0 ? n : 0);
}

static __always_inline __u64 task_number(struct capture *c, __u8 capture)
{
    struct task_struct *task = c->task;

    switch (capture) {
    case CAPTURE_clone_res: return c->ret;
    case CAPTURE_clone_flags: return clone_flags(c);
    case CAPTURE_tid: return READ(task, pid);
    case CAPTURE_pid: return READ(task, tgid);
    case CAPTURE_ptid: return READ(task, real_parent, pid);
    case CAPTURE_parent_pid: return READ(task, real_parent, tgid);
    case CAPTURE_fdlimit: return READ(task, signal, rlim[7].rlim_cur);
    case CAPTURE_pgft_maj: return READ(task, maj_flt);
    case CAPTURE_pgft_min: return READ(task, min_flt);
    case CAPTURE_vm_size:
    case CAPTURE_vm_rss:
    case CAPTURE_vm_swap: return memory_kib(task, capture);
    case CAPTURE_tty: return terminal(task);
    case CAPTURE_pgid: return global_id(pid_of(task, PIDTYPE_PGID));
    case CAPTURE_vpgid: return id_in_namespace(pid_of(task, PIDTYPE_PGID));
    case CAPTURE_sid: return global_id(pid_of(task, PIDTYPE_SID));
    case CAPTURE_vtid: return id_in_namespace(pid_of(task, PIDTYPE_PID));
    case CAPTURE_vpid: return id_in_namespace(pid_of(task, PIDTYPE_TGID));
    case CAPTURE_pidns_start: return c->ret ? 0 : pidns_start(task); /* of children only */
    case CAPTURE_start_time: return config_of(c)->boot_time_ns + READ(task, start_boottime);
    case CAPTURE_loginuid: return login_uid(task);
    case CAPTURE_euid: return READ(task, cred, euid.val);
    case CAPTURE_egid: return READ(task, cred, egid.val);
    case CAPTURE_cap_inheritable:
    case CAPTURE_cap_permitted:
    case CAPTURE_cap_effective: return capability_set(task, capture);
    case CAPTURE_exe_flags: return exe_flags(task);
    case CAPTURE_exe_ino: return READ(task, mm, exe_file, f_inode, i_ino);
    case CAPTURE_exe_ctime: return inode_time(READ(task, mm, exe_file, f_inode), 1);
    default: return inode_time(READ(task, mm, exe_file, f_inode), 0);
    }
}

/* Captures that are no numbers. */
static __always_inline int capture_task_text(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct task_struct *task = c->task;
    struct file *file;

    switch (p.capture) {
    case CAPTURE_comm: return put_kernel_text(c, i, ADDRESS_OF(task, comm), 16);
    case CAPTURE_cgroups: return put_cgroups(c, i);
    case CAPTURE_cwd: return put_visible_path(c, i, READ(task, fs, pwd.mnt), READ(task, fs, pwd.dentry));
    case CAPTURE_root:
        return put_path(c, i, READ(task, fs, root.mnt), READ(task, fs, root.dentry), NULL, NULL);
    default: /* exe_path */
        file = READ(task, mm, exe_file);
        if (!file)
            return no_value(c, i);
        return put_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry), NULL, NULL);
    }
}

static __always_inline int is_task_text(__u8 capture)
{
    return capture == CAPTURE_comm || capture == CAPTURE_cgroups || capture == CAPTURE_cwd ||
           capture == CAPTURE_root || capture == CAPTURE_exe_path;
}

#endif
