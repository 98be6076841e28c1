/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Differences between kernels in fields and in the arguments of tracepoints, by what
 * compat/probe.sh found in the headers. Needs READ().
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

#include "kernel/module/compat/found.h"

#ifdef COMPAT_HAS_time_namespaces
#include <linux/time_namespace.h>
#endif

/* Arguments that newer kernels append to those of a tracepoint. */
#ifdef COMPAT_HAS_switch_prev_state
#define COMPAT_SWITCH_MORE , unsigned int prev_state
#else
#define COMPAT_SWITCH_MORE
#endif
#ifdef COMPAT_HAS_exit_group_dead
#define COMPAT_EXIT_MORE , bool group_dead
#else
#define COMPAT_EXIT_MORE
#endif

#ifndef COMPAT_HAS_kernel_siginfo
#define kernel_siginfo siginfo
#endif

/* Without the flag, a kernel does not tell whether an open has created the file. */
#ifndef COMPAT_HAS_fmode_created
#define FMODE_CREATED ((__force fmode_t)0)
#endif

#ifndef COMPAT_HAS_signal_pids
#define PIDTYPE_TGID PIDTYPE_MAX
#endif

static inline struct pid *pid_of(struct task_struct *task, enum pid_type type)
{
#ifdef COMPAT_HAS_signal_pids
	return type == PIDTYPE_PID ? READ(task, thread_pid) : READ(task, signal, pids[type]);
#else
	if (type == PIDTYPE_PID)
		return READ(task, pids[PIDTYPE_PID].pid);
	return READ(task, group_leader, pids[type == PIDTYPE_TGID ? PIDTYPE_PID : type].pid);
#endif
}

static inline u64 start_time(struct task_struct *task)
{
#ifdef COMPAT_HAS_start_boottime
	return READ(task, start_boottime);
#else
	return READ(task, real_start_time);
#endif
}

#ifdef COMPAT_HAS_inode_hidden_ctime
#define COMPAT_CTIME __i_ctime
#else
#define COMPAT_CTIME i_ctime
#endif
#ifdef COMPAT_HAS_inode_hidden_mtime
#define COMPAT_MTIME __i_mtime
#else
#define COMPAT_MTIME i_mtime
#endif

static inline u64 inode_time(struct inode *inode, int change)
{
	struct timespec64 t = {};

#ifdef COMPAT_HAS_inode_ctime_sec
	t.tv_sec = change ? READ(inode, i_ctime_sec) : READ(inode, i_mtime_sec);
	t.tv_nsec = change ? READ(inode, i_ctime_nsec) : READ(inode, i_mtime_nsec);
#else
	t = change ? READ(inode, COMPAT_CTIME) : READ(inode, COMPAT_MTIME);
#endif
	return t.tv_sec < 0 ? 0 : t.tv_sec * 1000000000ull + (t.tv_nsec & 0x3fffffff);
}

static inline u64 mm_pages(struct mm_struct *mm, int counter)
{
#ifdef COMPAT_HAS_rss_stat_array
	s64 pages = READ(mm, rss_stat[counter].count);
#else
	s64 pages = READ(mm, rss_stat.count[counter].counter);
#endif

	return pages < 0 ? 0 : pages;
}

static inline struct kernfs_node *node_parent(struct kernfs_node *node)
{
#ifdef COMPAT_HAS_kernfs_hidden_parent
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
#ifndef COMPAT_HAS_ns_common_count
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
#ifdef COMPAT_HAS_time_namespaces
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
