/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Changes a mapping's flags. From 6.3 on only a function may do so. */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_VMA_H
#define TIERCEL_KERNEL_MODULE_COMPAT_VMA_H

#include <linux/mm.h>
#include <linux/version.h>

static inline void compat_change_vm_flags(struct vm_area_struct *vma, unsigned long set,
					  unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

#endif
