/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Area: pages that the kernel writes at one address and a process maps. The last pages may follow a
 * second time, in the kernel as in the process, so that a record that wraps lies in one piece.
 *
 * The mapped file owns the area. A mapping holds its file, so no page is freed while it is mapped.
 */
#ifndef TIERCEL_KERNEL_MODULE_AREA_H
#define TIERCEL_KERNEL_MODULE_AREA_H

#include "kernel/module/compat/api.h"

struct tiercel_area {
	struct page **pages; /* by offset: `mapped` pointers, the repeated pages twice */
	unsigned long count; /* distinct pages */
	unsigned long mapped;
	void *address;
};

/* Makes `count` zeroed pages, charged to the caller's memory cgroup; repeats those from
 * `repeat_from`. */
int tiercel_area_make(struct tiercel_area *area, unsigned long count, unsigned long repeat_from);
void tiercel_area_free(struct tiercel_area *area); /* also accepts an area that was never made */

/* For a file's mmap(). Returns -EPERM for a writable mapping, -EINVAL beyond the end. */
int tiercel_area_map(struct tiercel_area *area, struct vm_area_struct *vma);
vm_fault_t tiercel_area_fault(struct vm_fault *vmf); /* vm_private_data is the area */

#endif
