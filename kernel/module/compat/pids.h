/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Finds the used process ids in ascending order. */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_PIDS_H
#define TIERCEL_KERNEL_MODULE_COMPAT_PIDS_H

#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/threads.h>

#include "kernel/module/compat/found.h"

/* Returns the first used id from *id on, and writes its number to *id; NULL: none is left. The
 * caller holds the RCU read lock. */
static inline struct pid *compat_next_pid(int *id)
{
#ifdef COMPAT_HAS_idr_of_pids
	return idr_get_next(&init_pid_ns.idr, id);
#else
	struct pid *pid = NULL;

	for (; *id < PID_MAX_LIMIT; ++*id) {
		pid = find_pid_ns(*id, &init_pid_ns);
		if (pid)
			break;
	}
	return pid;
#endif
}

#endif
