/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Area: pages that the kernel writes at one address and a process maps. The last pages of it may
 * follow a second time, in the kernel as in the process, so that what wraps around lies in one
 * piece.
 *
 * The owner is the file that is mapped: a mapping holds its file, so no page goes while anyone sees
 * it.
 */
#ifndef TIERCEL_KERNEL_MODULE_AREA_H
#define TIERCEL_KERNEL_MODULE_AREA_H

#include <linux/mm.h>

struct tiercel_area {
	struct page **pages; /* by offset: `mapped` of them, the repeated ones twice */
	unsigned long count; /* distinct pages */
	unsigned long mapped;
	void *address;
};

/* `count` zeroed pages, charged to the caller's memory cgroup; those from `repeat_from` on twice.
 */
int tiercel_area_make(struct tiercel_area *area, unsigned long count, unsigned long repeat_from);
void tiercel_area_free(struct tiercel_area *area); /* also of one that was never made */

/* For a file's mmap(), read-only: -EPERM for more, -EINVAL beyond the end. */
int tiercel_area_map(struct tiercel_area *area, struct vm_area_struct *vma);
vm_fault_t tiercel_area_fault(struct vm_fault *vmf); /* vm_private_data is the area */

#endif
