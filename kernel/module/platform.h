/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The module's part of kernel/common/platform.h. Kernel memory is read by loads that may fault and
 * then give 0, as in a BPF probe: captures take no lock and no reference, so another CPU may free
 * the object meanwhile. RCU, under which every probe runs, keeps most objects; reading the others
 * must not oops.
 */
#ifndef TIERCEL_KERNEL_MODULE_PLATFORM_H
#define TIERCEL_KERNEL_MODULE_PLATFORM_H

#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/ipv6.h>
#include <linux/kernfs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/timekeeping.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/uaccess.h>
#include <asm/extable.h>
#include <net/af_unix.h>
#include <net/inet_sock.h>

#include "kernel/common/abi.h"
#include "kernel/module/compat/api.h"
#include "kernel/module/compat/mount.h"

#undef READ /* linux/kernel.h of older kernels defines a direction of that name */

/* Magic numbers that linux/magic.h of older kernels lacks. */
#ifndef ANON_INODE_FS_MAGIC
#define ANON_INODE_FS_MAGIC 0x09041934
#endif
#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif
#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/* Whether the range lies in the kernel's half of the address space, below the vsyscall page. */
static __always_inline bool in_kernel_memory(const void *address, size_t size)
{
	unsigned long from = (unsigned long)address;
#ifdef CONFIG_X86_64
	unsigned long end = (unsigned long)VSYSCALL_ADDR;
#else
	unsigned long end = ~0ul;
#endif

	return from >= PAGE_OFFSET && from < end && size <= end - from;
}

#ifdef CONFIG_X86_64
/*
 * One load of kernel memory. If it faults, execution continues behind it and `value` is unchanged.
 * The kernel's own __get_kernel_nofault() does the same, but a hundred of its gotos in one function
 * make GCC 12 crash.
 */
#define LOAD(value, from)                                                     \
	asm volatile("1: mov %[source], %[target]\n2:\n" _ASM_EXTABLE(1b, 2b) \
		     : [target] "+r"(value)                                   \
		     : [source] "m"(*(const typeof(value) *)(from)))
#else
#define LOAD(value, from)                                                    \
	do {                                                                 \
		if (copy_from_kernel_nofault(&(value), from, sizeof(value))) \
			(value) = 0;                                         \
	} while (0)
#endif

#define LOAD_INTO(dst, type, from)                    \
	do {                                          \
		type value_ = 0;                      \
                                                      \
		LOAD(value_, from);                   \
		memcpy(dst, &value_, sizeof(value_)); \
	} while (0)

/* Returns 0 or -EFAULT. Unreadable bytes become 0. A single number that faults becomes 0 and
 * returns 0. */
static __always_inline int read_kernel(void *dst, size_t size, const void *address)
{
	if (!in_kernel_memory(address, size))
		goto fault;
	if (__builtin_constant_p(size) && size == 8)
		LOAD_INTO(dst, u64, address);
	else if (__builtin_constant_p(size) && size == 4)
		LOAD_INTO(dst, u32, address);
	else if (__builtin_constant_p(size) && size == 2)
		LOAD_INTO(dst, u16, address);
	else if (__builtin_constant_p(size) && size == 1)
		LOAD_INTO(dst, u8, address);
	else if (copy_from_kernel_nofault(dst, address, size))
		goto fault;
	return 0;
fault:
	memset(dst, 0, size);
	return -EFAULT;
}

static inline s64 read_kernel_text(void *dst, u32 size, const void *address)
{
	const char *from = address;
	char *to = dst;
	u32 n;

	if (!size)
		return -EFAULT;
	if (!in_kernel_memory(address, size)) {
		*to = 0;
		return -EFAULT;
	}
	for (n = 0; n < size; n++) {
		char letter = 0; /* stays 0 after a fault, which ends the text */

		LOAD(letter, &from[n]);
		to[n] = letter;
		if (!letter)
			return n + 1;
	}
	to[size - 1] = 0;
	return size;
}

/* claim_capture() has disabled page faults, so memory that is not resident cannot be read. */
static __always_inline int read_user(void *dst, size_t size, u64 address)
{
	const void __user *from = (const void __user *)(unsigned long)address;

	if (compat_access_ok(from, size) && !__copy_from_user_inatomic(dst, from, size))
		return 0;
	memset(dst, 0, size);
	return -EFAULT;
}

static inline s64 read_user_text(void *dst, u32 size, u64 address)
{
	long n = strncpy_from_user(dst, (const char __user *)(unsigned long)address, size);

	if (n >= (long)size) {
		((char *)dst)[size - 1] = 0;
		return size;
	}
	return n < 0 ? n : n + 1;
}

/* Reads one field. The union allows writing its bytes even if the field is const. */
#define READ_1(object, field)                                                           \
	({                                                                              \
		__auto_type object_ = (object);                                         \
		union {                                                                 \
			typeof(object_->field) value;                                   \
			u8 bytes[sizeof(object_->field)];                               \
		} read_;                                                                \
		read_kernel(read_.bytes, sizeof(read_), (const void *)&object_->field); \
		read_.value;                                                            \
	})
#define READ_2(object, a, b) READ_1(READ_1(object, a), b)
#define READ_3(object, a, b, c) READ_1(READ_2(object, a, b), c)
#define READ_4(object, a, b, c, d) READ_1(READ_3(object, a, b, c), d)
#define READ_NTH(a, b, c, d, name, ...) name
#define READ(object, ...) READ_NTH(__VA_ARGS__, READ_4, READ_3, READ_2, READ_1)(object, __VA_ARGS__)

#define READ_INTO_1(dst, object, field)                                          \
	({                                                                       \
		__auto_type object_ = (object);                                  \
		read_kernel(dst, sizeof(*(dst)), (const void *)&object_->field); \
	})
#define READ_INTO_2(dst, object, a, b) READ_INTO_1(dst, READ_1(object, a), b)
#define READ_INTO(dst, object, ...) \
	READ_NTH(__VA_ARGS__, , , READ_INTO_2, READ_INTO_1)(dst, object, __VA_ARGS__)

#define FIELD(type, object, field) READ_1((type *)(object), field)
#define BITFIELD(object, field) (in_kernel_memory(object, sizeof(*(object))) ? (object)->field : 0)
#define ADDRESS_OF(object, field) (&(object)->field)
#define FIELD_OFFSET(type, field) offsetof(type, field)
#define SIZE_OF(type) sizeof(type)
#define IDENTITY_OF(socket) ((__u64)(socket))
#define REG(regs, field) ((regs)->field)
#define REGISTERS(buffer, regs) (regs)

#define NOINLINE static __maybe_unused
#define STEP static __always_inline
#define REPEAT(count, step, context)             \
	do {                                     \
		u32 k_;                          \
                                                 \
		for (k_ = 0; k_ < (count); k_++) \
			if (step(k_, context))   \
				break;           \
	} while (0)

static __always_inline struct task_struct *this_task(void)
{
	return current;
}

static __always_inline u64 current_ids(void)
{
	return (u64)current->tgid << 32 | (u32)current->pid;
}

static __always_inline u64 ns_since_boot(void)
{
	return ktime_get_boot_fast_ns();
}

static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
	*out = *task_pt_regs(task);
	return 0;
}

struct capture;
static __always_inline const struct tiercel_config *config_of(const struct capture *c);

#include "kernel/module/compat/versions.h"

#endif
