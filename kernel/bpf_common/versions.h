/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Differences between kernel versions that are more than a field's offset. The BPF probes know every layout,
 * and CO-RE selects the running kernel's at load.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_VERSIONS_H
#define TIERCEL_KERNEL_BPF_COMMON_VERSIONS_H

#define FIELD_EXISTS(type, field) bpf_core_field_exists(((type *)0)->field)

/* --- times of an inode: three layouts of struct inode ------------------------------------------- */
static __always_inline __u64 ns_of(struct timespec64 t)
{
    return t.tv_sec < 0 ? 0 : t.tv_sec * 1000000000ull + (t.tv_nsec & 0x3fffffff);
}

static __always_inline __u64 inode_time(struct inode *inode, int change)
{
    struct inode___renamed *renamed = (void *)inode;
    struct inode___split *split = (void *)inode;
    struct timespec64 t = {};

    if (FIELD_EXISTS(struct inode, i_ctime) && change)
        READ_INTO(&t, inode, i_ctime);
    else if (FIELD_EXISTS(struct inode, i_mtime) && !change)
        READ_INTO(&t, inode, i_mtime);
    else if (FIELD_EXISTS(struct inode___renamed, __i_ctime) && change)
        READ_INTO(&t, renamed, __i_ctime);
    else if (FIELD_EXISTS(struct inode___renamed, __i_mtime) && !change)
        READ_INTO(&t, renamed, __i_mtime);
    else if (FIELD_EXISTS(struct inode___split, i_ctime_sec)) {
        t.tv_sec = change ? READ(split, i_ctime_sec) : READ(split, i_mtime_sec);
        t.tv_nsec = change ? READ(split, i_ctime_nsec) : READ(split, i_mtime_nsec);
    }
    return ns_of(t);
}

/* --- ids of a thread, its process, group and session ------------------------------------------------ */
static __always_inline struct pid *pid_of(struct task_struct *task, enum pid_type type)
{
    return type == PIDTYPE_PID ? READ(task, thread_pid) : READ(task, signal, pids[type]);
}

/* --- start of a thread on CLOCK_BOOTTIME, ns ----------------------------------------------------- */
static __always_inline __u64 start_time(struct task_struct *task)
{
    if (FIELD_EXISTS(struct task_struct, start_boottime))
        return READ(task, start_boottime);
    return READ((struct task_struct___renamed *)task, real_start_time);
}

/* --- memory counters: enum { MM_FILEPAGES, ... } ------------------------------------------------- */
static __always_inline __u64 mm_pages(struct mm_struct *mm, int counter)
{
    __s64 pages = 0;

    if (bpf_core_field_exists(((struct mm_struct *)0)->rss_stat.count))
        read_kernel(&pages, sizeof(pages),
                    __builtin_preserve_access_index(&mm->rss_stat.count[0].counter) + counter);
    else /* CO-RE does not relocate a variable index, so the element's size in this kernel is computed */
        read_kernel(&pages, sizeof(pages),
                    (const char *)__builtin_preserve_access_index(
                        &((struct mm_struct___percpu *)mm)->rss_stat[0].count) +
                        counter * bpf_core_type_size(struct percpu_counter));
    return pages < 0 ? 0 : pages;
}

/* --- control groups ------------------------------------------------------------------------------- */
static __always_inline struct kernfs_node *node_parent(struct kernfs_node *node)
{
    if (bpf_core_field_exists(((struct kernfs_node___renamed *)0)->__parent))
        return READ((struct kernfs_node___renamed *)node, __parent);
    return READ(node, parent);
}

/* The number of a controller; -1 if the kernel was built without it. */
#define CONTROLLER(name)                                                   \
    (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id)     \
         ? (int)bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id) \
         : -1)

/* --- auditing: kernels built without it have no login uid ------------------------------------------- */
static __always_inline __u32 login_uid(struct task_struct *task)
{
    return FIELD_EXISTS(struct task_struct, loginuid) ? READ(task, loginuid.val) : 0xffffffff;
}

/* --- namespaces ------------------------------------------------------------------------------------ */
static __always_inline __u32 mount_namespace(struct nsproxy *proxy)
{
    return READ(proxy, mnt_ns, ns.inum);
}

static __always_inline __u32 time_namespace(struct nsproxy *proxy)
{
    return FIELD_EXISTS(struct nsproxy, time_ns) ? READ(proxy, time_ns, ns.inum) : 0;
}

#endif
