/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The beginning of struct mount, which fs/mount.h does not export. Paths need the first four
 * members, which are unchanged since 3.3 and checked at load (tiercel_check_mounts()). The members
 * before mnt_id follow the BTF of Debian's kernels.
 */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_MOUNT_H
#define TIERCEL_KERNEL_MODULE_COMPAT_MOUNT_H

#include <linux/mount.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/version.h>

struct mount {
	struct hlist_node mnt_hash;
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	union {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
		struct rb_node mnt_node;
#endif
		struct rcu_head mnt_rcu;
	};
#ifdef CONFIG_SMP
	void *mnt_pcp;
#else
	int mnt_count, mnt_writers;
#endif
	struct list_head mnt_mounts, mnt_child, mnt_instance;
	const char *mnt_devname;
	struct list_head mnt_list, mnt_expire, mnt_share;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	struct hlist_head mnt_slave_list;
	struct hlist_node mnt_slave;
#else
	struct list_head mnt_slave_list, mnt_slave;
#endif
	void *mnt_master, *mnt_ns, *mnt_mp;
	struct hlist_node mnt_mp_list;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	struct list_head mnt_umounting;
#endif
#ifdef CONFIG_FSNOTIFY
	void *mnt_fsnotify_marks;
	__u32 mnt_fsnotify_mask;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	struct list_head to_notify;
	void *prev_ns;
#endif
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	int mnt_t_flags;
#endif
	int mnt_id;
};

#endif
