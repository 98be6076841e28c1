// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Areas: allocating pages, mapping them into the kernel, and mapping them into a process. */
#include "kernel/module/area.h"

#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "kernel/module/compat/vma.h"

/* A size that the machine does not have gives ENOMEM and does not start the OOM killer. */
#define GFP_AREA (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ZERO)

int tiercel_area_make(struct tiercel_area *area, unsigned long count, unsigned long repeat_from)
{
	unsigned long i;

	area->mapped = 2 * count - repeat_from;
	area->pages =
		kvcalloc(area->mapped, sizeof(*area->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!area->pages)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		area->pages[i] = alloc_page(GFP_AREA);
		if (!area->pages[i])
			goto failed;
		area->count = i + 1;
		if (i >= repeat_from)
			area->pages[count + i - repeat_from] = area->pages[i];
		cond_resched();
	}
	area->address = vmap(area->pages, area->mapped, VM_MAP, PAGE_KERNEL);
	if (area->address)
		return 0;
failed:
	tiercel_area_free(area);
	return -ENOMEM;
}

void tiercel_area_free(struct tiercel_area *area)
{
	unsigned long i;

	if (area->address)
		vunmap(area->address);
	for (i = 0; i < area->count; i++)
		__free_page(area->pages[i]);
	kvfree(area->pages);
	memset(area, 0, sizeof(*area));
}

vm_fault_t tiercel_area_fault(struct vm_fault *vmf)
{
	struct tiercel_area *area = vmf->vma->vm_private_data;

	if (vmf->pgoff >= area->mapped)
		return VM_FAULT_SIGBUS;
	vmf->page = area->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct read_only_ops = {
	.fault = tiercel_area_fault,
};

int tiercel_area_map(struct tiercel_area *area, struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma);

	if (vma->vm_pgoff >= area->mapped || pages > area->mapped - vma->vm_pgoff)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	compat_change_vm_flags(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_private_data = area;
	vma->vm_ops = &read_only_ops;
	return 0;
}
