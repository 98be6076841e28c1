/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Session: one consumer's configuration, rings and counters. Sessions are independent of each
 * other; each registers its own probes. Every file that stands for a part of the session holds a
 * reference.
 */
#ifndef TIERCEL_KERNEL_MODULE_SESSION_H
#define TIERCEL_KERNEL_MODULE_SESSION_H

#include <linux/kref.h>

#include "kernel/common/abi.h"
#include "kernel/module/area.h"
#include "kernel/module/ring.h"

struct tiercel_session {
	struct kref users;
	struct tiercel_config config; /* constant after tiercel_session_make() */
	struct tiercel_cpu_counters *counters;
	struct tiercel_area counter_area;
	struct tiercel_ring *rings;
	u32 ring_count;
	struct tiercel_entry *entries; /* entry.h; NULL: texts are read at the exit */
	atomic_t attached;
};

/* Makes a session; returns -EINVAL or -ENOMEM as an error pointer. The caller holds a reference. */
struct tiercel_session *tiercel_session_make(const struct tiercel_config *config);
void tiercel_session_put(struct tiercel_session *session);

/* Puts an event into this CPU's ring and counts it. `event` has room for the trailer behind `len`
 * bytes. */
void tiercel_submit(struct tiercel_session *session, unsigned int cpu, u8 *event, u32 len);
static inline void tiercel_count_drop(struct tiercel_session *session, unsigned int cpu,
				      enum tiercel_drop reason)
{
	session->counters[cpu].drops[reason]++;
}

/* probes.c: start and stop capturing for the session. Attaching twice returns -EBUSY. */
int tiercel_attach(struct tiercel_session *session);
void tiercel_detach(struct tiercel_session *session);
int tiercel_find_tracepoints(void);

/* dump.c: files that list threads and open files, encoded as by the modern probe's iterators. */
struct file *tiercel_dump_tasks(struct tiercel_session *session);
struct file *tiercel_dump_files(struct tiercel_session *session);
int tiercel_check_mounts(void);

/* device.c */
int tiercel_device_make(void);
void tiercel_device_remove(void);

#endif
