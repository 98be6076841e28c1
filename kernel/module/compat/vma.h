/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Changes a mapping's flags. In newer kernels only a function may do so. */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_VMA_H
#define TIERCEL_KERNEL_MODULE_COMPAT_VMA_H

#include <linux/mm.h>

#include "kernel/module/compat/found.h"

static inline void compat_change_vm_flags(struct vm_area_struct *vma, unsigned long set,
					  unsigned long clear)
{
#ifdef COMPAT_HAS_vm_flags_mod
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

#endif
