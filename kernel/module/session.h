/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Session: one consumer's events: what it wants, its rings and its counters. Sessions know nothing
 * of each other; each has its own probes at the tracepoints. Counted by every file that stands for
 * a part of it.
 */
#ifndef TIERCEL_KERNEL_MODULE_SESSION_H
#define TIERCEL_KERNEL_MODULE_SESSION_H

#include <linux/kref.h>

#include "kernel/common/abi.h"
#include "kernel/module/area.h"
#include "kernel/module/ring.h"

struct tiercel_session {
	struct kref users;
	struct tiercel_config config; /* never changes */
	struct tiercel_cpu_counters *counters;
	struct tiercel_area counter_area;
	struct tiercel_ring *rings;
	u32 ring_count;
	atomic_t attached;
};

/* A session as the configuration says, or -EINVAL, -ENOMEM. The caller is its first user. */
struct tiercel_session *tiercel_session_make(const struct tiercel_config *config);
void tiercel_session_put(struct tiercel_session *session);

/* Puts an event of `len` bytes, with room for the trailer behind it, into this CPU's ring, and
 * counts. */
void tiercel_submit(struct tiercel_session *session, unsigned int cpu, u8 *event, u32 len);
static inline void tiercel_count_drop(struct tiercel_session *session, unsigned int cpu,
				      enum tiercel_drop reason)
{
	session->counters[cpu].drops[reason]++;
}

/* probes.c: between these, the session's events are captured. -EBUSY: they are already. */
int tiercel_attach(struct tiercel_session *session);
void tiercel_detach(struct tiercel_session *session);
int tiercel_find_tracepoints(void);

/* dump.c: what was there before; reads as the iterators of the modern probe do. */
struct file *tiercel_dump_tasks(struct tiercel_session *session);
struct file *tiercel_dump_files(struct tiercel_session *session);
int tiercel_check_mounts(void);

/* device.c */
int tiercel_device_make(void);
void tiercel_device_remove(void);

#endif
