/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Differences between kernel versions in fields and in the arguments of tracepoints. Needs READ().
 */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_VERSIONS_H
#define TIERCEL_KERNEL_MODULE_COMPAT_VERSIONS_H

#include <linux/cgroup-defs.h>
#include <linux/fs.h>
#include <linux/ipc_namespace.h>
#include <linux/kernfs.h>
#include <linux/ns_common.h>
#include <linux/nsproxy.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
#include <linux/time_namespace.h>
#endif

/* Arguments that newer kernels append to those of a tracepoint. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#define COMPAT_SWITCH_MORE , unsigned int prev_state
#else
#define COMPAT_SWITCH_MORE
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define COMPAT_EXIT_MORE , bool group_dead
#else
#define COMPAT_EXIT_MORE
#endif

static inline u64 start_time(struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 5, 0)
	return READ(task, start_boottime);
#else
	return READ(task, real_start_time);
#endif
}

static inline u64 inode_time(struct inode *inode, int change)
{
	struct timespec64 t = {};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	t.tv_sec = change ? READ(inode, i_ctime_sec) : READ(inode, i_mtime_sec);
	t.tv_nsec = change ? READ(inode, i_ctime_nsec) : READ(inode, i_mtime_nsec);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	t = change ? READ(inode, __i_ctime) : READ(inode, __i_mtime);
#else
	t = change ? READ(inode, i_ctime) : READ(inode, i_mtime);
#endif
	return t.tv_sec < 0 ? 0 : t.tv_sec * 1000000000ull + (t.tv_nsec & 0x3fffffff);
}

static inline u64 mm_pages(struct mm_struct *mm, int counter)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	s64 pages = READ(mm, rss_stat[counter].count);
#else
	s64 pages = READ(mm, rss_stat.count[counter].counter);
#endif

	return pages < 0 ? 0 : pages;
}

static inline struct kernfs_node *node_parent(struct kernfs_node *node)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return (__force struct kernfs_node *)READ(node, __parent);
#else
	return READ(node, parent);
#endif
}

static inline u32 login_uid(struct task_struct *task)
{
#ifdef CONFIG_AUDIT
	return READ(task, loginuid.val);
#else
	return ~0u;
#endif
}

/* fs/mount.h, which no header exports: the namespace's number is in a member at its beginning. */
struct mnt_namespace_head {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
	atomic_t count;
#endif
	struct ns_common ns;
};

static inline u32 mount_namespace(struct nsproxy *proxy)
{
	return READ((struct mnt_namespace_head *)READ(proxy, mnt_ns), ns.inum);
}

static inline u32 time_namespace(struct nsproxy *proxy)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 6, 0)
	return READ(proxy, time_ns, ns.inum);
#else
	return 0;
#endif
}

/* The number of a controller; -1 if the kernel was built without it. */
#define CONTROLLER(name) COMPAT_CONTROLLER_##name
#ifdef CONFIG_CPUSETS
#define COMPAT_CONTROLLER_cpuset cpuset_cgrp_id
#else
#define COMPAT_CONTROLLER_cpuset (-1)
#endif
#ifdef CONFIG_CGROUP_SCHED
#define COMPAT_CONTROLLER_cpu cpu_cgrp_id
#else
#define COMPAT_CONTROLLER_cpu (-1)
#endif
#ifdef CONFIG_CGROUP_CPUACCT
#define COMPAT_CONTROLLER_cpuacct cpuacct_cgrp_id
#else
#define COMPAT_CONTROLLER_cpuacct (-1)
#endif
#ifdef CONFIG_BLK_CGROUP
#define COMPAT_CONTROLLER_io io_cgrp_id
#else
#define COMPAT_CONTROLLER_io (-1)
#endif
#ifdef CONFIG_MEMCG
#define COMPAT_CONTROLLER_memory memory_cgrp_id
#else
#define COMPAT_CONTROLLER_memory (-1)
#endif

#endif
