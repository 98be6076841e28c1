// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The producer's end of a ring in the layout of kernel/bpf/ringbuf.c: see ring.h. */
#include "kernel/module/ring.h"

#include "kernel/module/compat/vma.h"

#define HEADER 8 /* u32 length, u32 page offset, which no reader needs */
#define POSITION_PAGES 2
/* Readers poll the rings; a reader that fell behind is woken (kernel/bpf_modern/rings.h). */
#define LOOK_EVERY 64

static void wake_readers(struct irq_work *work)
{
	struct tiercel_ring *ring = container_of(work, struct tiercel_ring, wakeup);

	wake_up_all(&ring->readers);
}

int tiercel_ring_make(struct tiercel_ring *ring, u32 size)
{
	u8 *start;
	int error;

	error = tiercel_area_make(&ring->area, POSITION_PAGES + size / PAGE_SIZE, POSITION_PAGES);
	if (error)
		return error;
	start = ring->area.address;
	raw_spin_lock_init(&ring->lock);
	ring->size = size;
	ring->consumer = (u64 *)start;
	ring->producer = (u64 *)(start + PAGE_SIZE);
	ring->data = start + POSITION_PAGES * PAGE_SIZE;
	init_waitqueue_head(&ring->readers);
	init_irq_work(&ring->wakeup, wake_readers);
	return 0;
}

/* Call when no producer uses the ring any more. */
void tiercel_ring_free(struct tiercel_ring *ring)
{
	if (ring->area.address)
		irq_work_sync(&ring->wakeup);
	tiercel_area_free(&ring->area);
}

static void put_locked(struct tiercel_ring *ring, const void *record, u32 size, u64 taken)
{
	u8 *at = ring->data + (ring->head & (ring->size - 1));

	((u32 *)at)[0] = size;
	((u32 *)at)[1] = 0;
	memcpy(at + HEADER, record, size);
	ring->head += taken;
	/* pairs with the reader's load of the position: all records below it are written */
	smp_store_release(ring->producer, ring->head);
}

bool tiercel_ring_put(struct tiercel_ring *ring, const void *record, u32 size)
{
	u64 taken = ALIGN((u64)size + HEADER, 8), used;
	unsigned long flags;
	bool fits, late = false;

	if (in_nmi()) { /* the interrupted code may hold the lock */
		if (!raw_spin_trylock_irqsave(&ring->lock, flags))
			return false;
	} else {
		raw_spin_lock_irqsave(&ring->lock, flags);
	}
	/* pairs with the reader's store of its position: it has read all below it */
	used = ring->head - smp_load_acquire(ring->consumer);
	fits = used <= ring->size && taken <= ring->size - used;
	if (fits)
		put_locked(ring, record, size, taken);
	if (++ring->since_look >= LOOK_EVERY) {
		ring->since_look = 0;
		late = used >= ring->size / 4;
	}
	raw_spin_unlock_irqrestore(&ring->lock, flags);
	if (late)
		irq_work_queue(&ring->wakeup);
	return fits;
}

static void consumer_open(struct vm_area_struct *vma)
{
	struct tiercel_ring *ring = container_of(vma->vm_private_data, struct tiercel_ring, area);

	atomic_inc(&ring->consumers);
}

static void consumer_close(struct vm_area_struct *vma)
{
	struct tiercel_ring *ring = container_of(vma->vm_private_data, struct tiercel_ring, area);

	atomic_dec(&ring->consumers);
}

static const struct vm_operations_struct consumer_ops = {
	.open = consumer_open,
	.close = consumer_close,
	.fault = tiercel_area_fault,
};

int tiercel_ring_map(struct tiercel_ring *ring, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_WRITE))
		return tiercel_area_map(&ring->area, vma);
	if (vma->vm_pgoff || vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED))
		return -EPERM;
	if (atomic_cmpxchg(&ring->consumers, 0, 1))
		return -EBUSY;
	/* a forked child does not become a second consumer */
	compat_change_vm_flags(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY, VM_MAYEXEC);
	vma->vm_private_data = &ring->area;
	vma->vm_ops = &consumer_ops;
	return 0;
}

__poll_t tiercel_ring_poll(struct tiercel_ring *ring, struct file *file, poll_table *wait)
{
	poll_wait(file, &ring->readers, wait);
	return READ_ONCE(*ring->producer) != READ_ONCE(*ring->consumer) ? EPOLLIN | EPOLLRDNORM : 0;
}
