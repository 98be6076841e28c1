// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Questions to a kernel's headers. compat/probe.sh compiles this file, and a row that has an error
 * is a feature that the headers lack; found.h defines COMPAT_HAS_<name> for each other row. Vendors
 * take features into older kernels, so the version of a kernel does not answer these questions.
 *
 * PROBE(name, argument, expression) is one line, because the compiler names errors by their lines.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kernfs.h>
#include <linux/mm.h>
#include <linux/ns_common.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include <trace/events/sched.h>
#include <trace/events/signal.h>

#define PROBE(name, argument, expression)                 \
	static __maybe_unused void probe_##name(argument) \
	{                                                 \
		(void)(expression);                       \
	}

typedef void on_exit_long(void *, struct task_struct *, bool);
typedef void on_switch_long(void *, bool, struct task_struct *, struct task_struct *, unsigned int);

/* clang-format off */

/* The first two rows check the check. */
PROBE(always, struct task_struct *x, x->pid)
PROBE(never, struct task_struct *x, x->no_such_member)

PROBE(start_boottime, struct task_struct *x, x->start_boottime)
PROBE(signal_pids, struct signal_struct *x, x->pids[PIDTYPE_TGID])
PROBE(idr_of_pids, struct pid_namespace *x, idr_get_next(&x->idr, NULL))
PROBE(rss_stat_array, struct mm_struct *x, x->rss_stat[0].count)
PROBE(inode_ctime_sec, struct inode *x, x->i_ctime_sec)
PROBE(inode_hidden_ctime, struct inode *x, x->__i_ctime)
PROBE(inode_hidden_mtime, struct inode *x, x->__i_mtime)
PROBE(kernfs_hidden_parent, struct kernfs_node *x, x->__parent)
PROBE(ns_common_count, struct ns_common *x, x->count)
PROBE(time_namespaces, struct nsproxy *x, x->time_ns)
PROBE(kernel_siginfo, struct kernel_siginfo *x, sizeof(*x))
PROBE(exit_group_dead, on_exit_long *x, (check_trace_callback_type_sched_process_exit(x), 0))
PROBE(switch_prev_state, on_switch_long *x, (check_trace_callback_type_sched_switch(x), 0))
PROBE(fmode_created, struct file *x, x->f_mode & FMODE_CREATED)
PROBE(vm_flags_mod, struct vm_area_struct *x, (vm_flags_mod(x, 0, 0), 0))
PROBE(vm_fault_t, struct vm_fault *x, (vm_fault_t)0)
PROBE(poll_t, struct file *x, (__poll_t)EPOLLIN)
PROBE(kvcalloc, size_t x, kvcalloc(x, x, GFP_KERNEL))
PROBE(copy_from_kernel_nofault, void *x, copy_from_kernel_nofault(x, x, 1))
PROBE(access_ok_of_two, void __user *x, access_ok(x, 1))
