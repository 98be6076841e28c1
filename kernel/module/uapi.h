/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The two ioctls of /dev/tiercel, for the process that starts a session (privd).
 *
 * TIERCEL_IOC_START makes the session of this open file, once: rings and counters, nothing
 * attached. TIERCEL_IOC_FD returns one of the session's descriptors, close-on-exec; the argument is
 * kind << 16 | index. Events flow while a descriptor of kind TIERCEL_FD_LINK is open anywhere. The
 * memory stays while any of the session's descriptors or mappings exists.
 *
 * Errors: EINVAL a value out of range, EBUSY started or attached already, ENODEV not started,
 * ENOMEM no memory.
 */
#ifndef TIERCEL_KERNEL_MODULE_UAPI_H
#define TIERCEL_KERNEL_MODULE_UAPI_H

#include "kernel/common/abi.h"

#include <linux/ioctl.h>

/* In the order of enum wire::Kind (shared/wire/messages.h). */
enum tiercel_fd_kind {
	TIERCEL_FD_RING,     /* for mmap() as of a BPF ring buffer, and poll() */
	TIERCEL_FD_COUNTERS, /* for mmap(), read-only: struct tiercel_cpu_counters of each CPU */
	TIERCEL_FD_LINK,     /* attached while it is open; supports only close() */
	TIERCEL_FD_ITER_TASK,
	TIERCEL_FD_ITER_TASK_FILE, /* for read() to the end: one event for each thread or file */
};

struct tiercel_start {
	struct tiercel_config config; /* per_syscall must be 0 */
	__u32 cpus;		      /* out: entries of the counters array */
	__u32 ring_count;	      /* out: one for each config.cpus_per_ring CPUs */
};

#define TIERCEL_IOC_START _IOWR(0xF7, 0, struct tiercel_start)
#define TIERCEL_IOC_FD _IO(0xF7, 1)

#endif
