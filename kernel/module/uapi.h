/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What /dev/tiercel understands: two ioctls, for the process that starts a session (privd).
 *
 * TIERCEL_IOC_START makes the session of this open file: rings and counters, nothing attached yet.
 * Once per open file. TIERCEL_IOC_FD gives one of the session's descriptors, close-on-exec: kind <<
 * 16 | index. Events flow as long as the descriptor of kind TIERCEL_FD_LINK is open anywhere; the
 * memory stays as long as any of the session's descriptors or mappings does.
 *
 * Errors: EINVAL a value out of range, EBUSY started or attached already, ENODEV not started,
 * ENOMEM.
 */
#ifndef TIERCEL_KERNEL_MODULE_UAPI_H
#define TIERCEL_KERNEL_MODULE_UAPI_H

#include "kernel/common/abi.h"

#include <linux/ioctl.h>

/* In the order of enum wire::Kind (shared/wire/messages.h). */
enum tiercel_fd_kind {
	TIERCEL_FD_RING,     /* mapped as a BPF ring buffer is, and polled */
	TIERCEL_FD_COUNTERS, /* mapped read-only: struct tiercel_cpu_counters for each CPU */
	TIERCEL_FD_LINK, /* attaches while it is open; nothing can be done with it but close it */
	TIERCEL_FD_ITER_TASK,
	TIERCEL_FD_ITER_TASK_FILE, /* read to the end: what was there before, one event each */
};

struct tiercel_start {
	struct tiercel_config config; /* per_syscall must be 0 */
	__u32 cpus;		      /* out: entries of the counters array */
	__u32 ring_count;	      /* out: one for each config.cpus_per_ring CPUs */
};

#define TIERCEL_IOC_START _IOWR(0xF7, 0, struct tiercel_start)
#define TIERCEL_IOC_FD _IO(0xF7, 1)

#endif
