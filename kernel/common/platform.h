/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What captures need from the place they run in. Each driver supplies these names:
 *
 *   READ(object, field, ...)            a field reached through kernel pointers; 0 when unreadable
 *   READ_INTO(&dst, object, field, ...) the same for what is no scalar
 *   FIELD(type, object, field)          one field of an object of known type, the fastest way there is
 *   FIELD_EXISTS(type, field)           whether this kernel has the field
 *   read_user(dst, size, address)       copy from the calling process; 0 or a negative error
 *   read_user_text(dst, size, address)  copy a NUL-terminated text; bytes with the NUL, or negative
 *   read_kernel(...), read_kernel_text(...)  the same from kernel memory
 *   current_task()
 *   REPEAT(count, step, context)        a bounded loop
 *   NOINLINE                            for functions that are better checked or built once
 *   AT_TRACEPOINT(name)                 section of a program at a tracepoint
 *   REG(regs, field)                    one register, where a tracepoint says that they are
 *   REGISTERS(buffer, regs)             all of them, where plain loads reach: there, or a copy in `buffer`
 *
 * This is the BPF side; the kernel module brings its own header in its place. With TIERCEL_CLASSIC it is
 * that of the classic probe, for which the kernel need have no BTF: what a raw tracepoint hands to a program
 * are mere numbers there, and everything behind them is read by a helper.
 */
#ifndef TIERCEL_KERNEL_COMMON_PLATFORM_H
#define TIERCEL_KERNEL_COMMON_PLATFORM_H

#include "kernel/common/kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "kernel/common/abi.h"

extern const volatile struct tiercel_config tc_config;

#define READ(object, ...) BPF_CORE_READ(object, __VA_ARGS__)
#define READ_INTO(dst, object, ...) BPF_CORE_READ_INTO(dst, object, __VA_ARGS__)

#ifdef TIERCEL_CLASSIC
#define TIERCEL_OLD_KERNEL /* the one object serves all */
#define AT_TRACEPOINT(name) SEC("raw_tp/" name)
#define REG(regs, field) READ(regs, field)
#define REGISTERS(buffer, regs) \
    (read_kernel(buffer, sizeof(struct pt_regs), regs), (const struct pt_regs *)(buffer))
#else
#define AT_TRACEPOINT(name) SEC("tp_btf/" name)
#define REG(regs, field) ((regs)->field)
#define REGISTERS(buffer, regs) (regs)
#endif

/*
 * A helper call for each pointer that is followed is most of what opening a file costs to tell of. From 6.2
 * a number may be declared to be a pointer to some type (bpf_rdonly_cast()), and a plain load follows it; a
 * bad address then reads as 0.
 */
#ifdef TIERCEL_OLD_KERNEL
#define FIELD(type, object, field) READ((type *)(object), field)
#else
void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;
#define FIELD(type, object, field)                                                 \
    (bpf_core_enum_value_exists(enum special_kfunc_type, KF_bpf_rdonly_cast)       \
         ? ((type *)bpf_rdonly_cast(object, bpf_core_type_id_kernel(type)))->field \
         : READ((type *)(object), field))
#endif
#define FIELD_EXISTS(type, field) bpf_core_field_exists(((type *)0)->field)

#define read_user(dst, size, address) bpf_probe_read_user(dst, size, (const void *)(address))
#define read_kernel(dst, size, address) bpf_probe_read_kernel(dst, size, (const void *)(address))
#define read_kernel_text(dst, size, address) bpf_probe_read_kernel_str(dst, size, (const void *)(address))

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

static __always_inline struct task_struct *current_task(void)
{
    return (struct task_struct *)bpf_get_current_task();
}

#endif
