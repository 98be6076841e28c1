/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The BPF side of platform.h: fields are relocated by CO-RE, memory is read by helpers. With TIERCEL_CLASSIC
 * it is that of the classic probe, for which the kernel need have no BTF: what a raw tracepoint hands to a
 * program are mere numbers there, and everything behind them is read by a helper. AT_TRACEPOINT(name) is the
 * section of a program at a tracepoint.
 */
#ifndef TIERCEL_KERNEL_COMMON_PLATFORM_BPF_H
#define TIERCEL_KERNEL_COMMON_PLATFORM_BPF_H

#include "kernel/common/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "kernel/common/abi.h"

struct capture;
extern const volatile struct tiercel_config tc_config;
extern const volatile __u32 tc_type_numbers[TIERCEL_TYPES_MAX];

static __always_inline const volatile struct tiercel_config *config_of(const struct capture *c)
{
    return &tc_config;
}

#define READ(object, ...) BPF_CORE_READ(object, __VA_ARGS__)
#define READ_INTO(dst, object, ...) BPF_CORE_READ_INTO(dst, object, __VA_ARGS__)

#ifdef TIERCEL_CLASSIC
#define TIERCEL_OLD_KERNEL /* the one object serves all */
#define AT_TRACEPOINT(name) SEC("raw_tp/" name)
#define REG(regs, field) READ(regs, field)
#define REGISTERS(buffer, regs) \
    (read_kernel(buffer, sizeof(struct pt_regs), regs), (const struct pt_regs *)(buffer))
#else
#define AT_TRACEPOINT(name) SEC("tiercel.tp/btf_trace_" name)
#define REG(regs, field) ((regs)->field)
#define REGISTERS(buffer, regs) (regs)
#endif

/*
 * A helper call for each pointer that is followed is most of what opening a file costs to tell of. From 6.2
 * a number may be declared to be a pointer to some type (bpf_rdonly_cast()), and a plain load follows it; a
 * bad address then reads as 0. Which function that is, and which number a type has in the kernel, only the
 * loader knows: types are relocated against the few that it keeps (privd/types.cpp). With TIERCEL_NO_CAST the
 * probe does without.
 */
#if defined(TIERCEL_OLD_KERNEL) || defined(TIERCEL_NO_CAST)
#define FIELD(type, object, field) READ((type *)(object), field)
#else
#define CAST ((void *(*)(const void *object, __u32 btf_id))TIERCEL_CAST)
#define FIELD(type, object, field) \
    (((type *)CAST(object, tc_type_numbers[bpf_core_type_id_kernel(type)]))->field)
#endif
#define BITFIELD(object, field) BPF_CORE_READ_BITFIELD_PROBED(object, field)
#define ADDRESS_OF(object, field) __builtin_preserve_access_index(&(object)->field)
#define FIELD_OFFSET(type, field) bpf_core_field_offset(type, field)
#define SIZE_OF(type) bpf_core_type_size(type)

#define read_user(dst, size, address) bpf_probe_read_user(dst, size, (const void *)(address))
#define read_kernel(dst, size, address) bpf_probe_read_kernel(dst, size, (const void *)(address))
#define read_kernel_text(dst, size, address) bpf_probe_read_kernel_str(dst, size, (const void *)(address))
#define read_task_memory(dst, size, address, task) \
    bpf_copy_from_user_task(dst, size, (const void *)(address), task, 0)

/* A function that the verifier checks by itself, once, for any numbers given to it. */
#define NOINLINE __attribute__((noinline))

/*
 * Calls step(k, context) for k = 0, 1, ... below `count`, until it returns non-zero. With bpf_loop() (5.17)
 * the verifier looks at one turn instead of at all of them. Kernels before 5.13 refuse even dead code that
 * takes a function's address, so the probe is built twice: with TIERCEL_OLD_KERNEL for those.
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

/* Kernels before 6.13 give 0, not 1, for an empty text (mm/maccess.c, strncpy_from_user_nofault()). */
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

#if defined(__TARGET_ARCH_arm64)

#define KERNEL_STACK_BYTES 16384 /* THREAD_SIZE with 4 KiB pages and no sanitizer */

/* arch/arm64/include/asm/processor.h, task_pt_regs() */
static __always_inline int read_stack_top(struct pt_regs *out, const char *top)
{
    return read_kernel(out, sizeof(*out), top - bpf_core_type_size(struct pt_regs));
}

#else

#define FRED_PADDING 16          /* arch/x86/include/asm/thread_info.h, TOP_OF_KERNEL_STACK_PADDING */
#define USER_DS 0x2b             /* arch/x86/include/asm/segment.h, __USER_DS */
#define KERNEL_STACK_BYTES 16384 /* THREAD_SIZE */

/*
 * arch/x86/include/asm/processor.h, task_pt_regs(). A kernel that is built with FRED (6.9) has padding on
 * top. Looked for where they would be with it, the stack segment of one without is in truth the flags, in
 * which the bit for interrupts is set.
 */
static __always_inline int read_stack_top(struct pt_regs *out, const char *top)
{
    const char *regs = top - bpf_core_type_size(struct pt_regs);

    if (!read_kernel(out, sizeof(*out), regs - FRED_PADDING) && (__u16)out->ss == USER_DS)
        return 0;
    return read_kernel(out, sizeof(*out), regs);
}

#endif

/* The registers with which `task`, which is current, entered the kernel, copied to `out`. */
static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
#ifndef TIERCEL_CLASSIC /* the helper gives a typed pointer, so the kernel must have BTF */
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs___t)) {
        struct task_struct *self = (struct task_struct *)bpf_get_current_task_btf();

        return read_kernel(out, sizeof(*out), (void *)bpf_task_pt_regs(self));
    }
#endif
    return read_stack_top(out, (char *)READ(task, stack) + KERNEL_STACK_BYTES);
}

#include "kernel/common/versions_bpf.h"

#endif
