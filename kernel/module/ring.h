/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Ring: the producer's end of a ring in the layout of kernel/bpf/ringbuf.c, so that one reader
 * serves both: a page with the consumer's position, which the consumer writes; a page with the
 * producer's position; the data; and the data once more.
 *
 * The consumer may be hostile. Of the memory that it can write, the kernel reads only the position,
 * once for each record, and only subtracts it from the producer's own position, which no process
 * can write. A difference above the ring's size means "no room". A record is copied under the lock,
 * so no record is half written and a false position cannot make records overlap (CVE-2024-41009).
 */
#ifndef TIERCEL_KERNEL_MODULE_RING_H
#define TIERCEL_KERNEL_MODULE_RING_H

#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "kernel/module/area.h"

struct tiercel_session;

struct tiercel_ring {
	raw_spinlock_t lock;
	u64 head; /* bytes produced since the start */
	u64 size;
	u32 since_look; /* records since the ring's fill was last checked */
	u8 *data;
	u64 *consumer, *producer; /* the positions in the shared pages */
	struct tiercel_area area;
	atomic_t consumers; /* writable mappings of the consumer's page: at most one */
	wait_queue_head_t readers;
	struct irq_work wakeup;
	struct tiercel_session *session; /* the owner; holds no reference */
};

int tiercel_ring_make(struct tiercel_ring *ring, u32 size);
void tiercel_ring_free(struct tiercel_ring *ring);

/* Puts a record of `size` bytes into the ring. Returns false if there is no room. Call from any
 * context. */
bool tiercel_ring_put(struct tiercel_ring *ring, const void *record, u32 size);

int tiercel_ring_map(struct tiercel_ring *ring, struct vm_area_struct *vma);
__poll_t tiercel_ring_poll(struct tiercel_ring *ring, struct file *file, poll_table *wait);

#endif
