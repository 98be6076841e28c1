/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Types and functions of newer kernels, made of what older ones have. */
#ifndef TIERCEL_KERNEL_MODULE_COMPAT_API_H
#define TIERCEL_KERNEL_MODULE_COMPAT_API_H

#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kernel/module/compat/found.h"

#ifndef COMPAT_HAS_vm_fault_t
typedef int vm_fault_t;
#endif

#ifndef COMPAT_HAS_poll_t
#include <uapi/linux/eventpoll.h>
typedef unsigned int __poll_t;
#endif

#ifndef COMPAT_HAS_kvcalloc
static inline void *kvcalloc(size_t count, size_t size, gfp_t flags)
{
	return kvmalloc_array(count, size, flags | __GFP_ZERO);
}
#endif

#ifndef COMPAT_HAS_copy_from_kernel_nofault
#define copy_from_kernel_nofault probe_kernel_read
#endif

#ifdef COMPAT_HAS_access_ok_of_two
#define compat_access_ok(from, size) access_ok(from, size)
#else
#define compat_access_ok(from, size) access_ok(VERIFY_READ, from, size)
#endif

#endif
