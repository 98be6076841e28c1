/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What both BPF probes owe to kernel/common/platform.h alike: fields are relocated by CO-RE, and helpers read
 * memory. A probe's own platform.h includes this header and adds FIELD(), REG(), REGISTERS() and
 * entry_registers(), and AT_TRACEPOINT(name), the section of a program at a tracepoint.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_PLATFORM_H
#define TIERCEL_KERNEL_BPF_COMMON_PLATFORM_H

#include "kernel/bpf_common/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "kernel/common/abi.h"

#if defined(__TARGET_ARCH_x86)
#define TIERCEL_HAS_IA32
#endif

struct capture;
extern const volatile struct tiercel_config tc_config;

static __always_inline const volatile struct tiercel_config *config_of(const struct capture *c)
{
    return &tc_config;
}

#define READ(object, ...) BPF_CORE_READ(object, __VA_ARGS__)
#define READ_INTO(dst, object, ...) BPF_CORE_READ_INTO(dst, object, __VA_ARGS__)
#define BITFIELD(object, field) BPF_CORE_READ_BITFIELD_PROBED(object, field)
#define ADDRESS_OF(object, field) __builtin_preserve_access_index(&(object)->field)
#define FIELD_OFFSET(type, field) bpf_core_field_offset(type, field)
#define SIZE_OF(type) bpf_core_type_size(type)
#define IDENTITY_OF(socket) ((__u64)(socket))

#define read_user(dst, size, address) bpf_probe_read_user(dst, size, (const void *)(address))
#define read_kernel(dst, size, address) bpf_probe_read_kernel(dst, size, (const void *)(address))
#define read_kernel_text(dst, size, address) bpf_probe_read_kernel_str(dst, size, (const void *)(address))

/* The verifier checks such a function by itself, once, for all numbers that may be given to it. */
#define NOINLINE __attribute__((noinline))

/*
 * REPEAT(count, step, context) calls step(k, context) for k = 0, 1, ... below `count`, until it returns
 * non-zero. With bpf_loop() (5.17) the verifier looks at one turn instead of at all of them. Kernels
 * before 5.13 refuse a program that takes a function's address, even in dead code, so TIERCEL_OLD_KERNEL
 * builds a probe without it.
 */
#ifdef TIERCEL_OLD_KERNEL
#define REPEAT(count, step, context)           \
    do {                                       \
        for (__u32 k_ = 0; k_ < (count); k_++) \
            if (step(k_, context))             \
                break;                         \
    } while (0)
#define STEP static __always_inline
#else
#define REPEAT(count, step, context) bpf_loop(count, step, context, 0)
#define STEP static
#endif

/* Kernels before 6.13 return 0, not 1, for an empty text (mm/maccess.c, strncpy_from_user_nofault()). */
static __always_inline __s64 read_user_text(void *dst, __u32 size, __u64 address)
{
    __s64 n = bpf_probe_read_user_str(dst, size, (const void *)address);

    if (n)
        return n;
    *(char *)dst = 0;
    return 1;
}

static __always_inline struct task_struct *this_task(void)
{
    return (struct task_struct *)bpf_get_current_task();
}

static __always_inline __u64 current_ids(void)
{
    return bpf_get_current_pid_tgid();
}

static __always_inline __u64 ns_since_boot(void)
{
    return bpf_ktime_get_boot_ns();
}

/* --- the registers with which a thread entered the kernel ---------------------------------------- */

#if defined(__TARGET_ARCH_arm64)

#define KERNEL_STACK_BYTES 16384 /* THREAD_SIZE with 4 KiB pages and no sanitizer */

/* arch/arm64/include/asm/processor.h, task_pt_regs() */
static __always_inline int read_below_stack_top(struct pt_regs *out, const char *top)
{
    return read_kernel(out, sizeof(*out), top - bpf_core_type_size(struct pt_regs));
}

#else

#define FRED_PADDING 16          /* arch/x86/include/asm/thread_info.h, TOP_OF_KERNEL_STACK_PADDING */
#define USER_DS 0x2b             /* arch/x86/include/asm/segment.h, __USER_DS */
#define KERNEL_STACK_BYTES 16384 /* THREAD_SIZE */

/*
 * arch/x86/include/asm/processor.h, task_pt_regs(). A kernel built with FRED (6.9) has padding at the top.
 * Read at the place that holds with padding, the stack segment of a kernel without it is in truth the flags
 * register, which never equals USER_DS because its interrupt bit is set.
 */
static __always_inline int read_below_stack_top(struct pt_regs *out, const char *top)
{
    const char *regs = top - bpf_core_type_size(struct pt_regs);

    if (!read_kernel(out, sizeof(*out), regs - FRED_PADDING) && (__u16)out->ss == USER_DS)
        return 0;
    return read_kernel(out, sizeof(*out), regs);
}

#endif

/* Copies the registers with which `task`, which is current, entered the kernel to `out`. */
static __always_inline int registers_on_stack(struct pt_regs *out, struct task_struct *task)
{
    return read_below_stack_top(out, (char *)READ(task, stack) + KERNEL_STACK_BYTES);
}

#include "kernel/bpf_common/versions.h"

#endif
