/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The modern probe's part of kernel/common/platform.h: typed tracepoints, and plain loads of kernel memory.
 */
#ifndef TIERCEL_KERNEL_BPF_MODERN_PLATFORM_H
#define TIERCEL_KERNEL_BPF_MODERN_PLATFORM_H

#include "kernel/bpf_common/platform.h"

/* Memory for io_uring requests is taken when there are any. */
#define URING_MAP_FLAGS BPF_F_NO_PREALLOC
#define URING_REQUESTS 4096
#define URING_NAMES 1024

#define AT_TRACEPOINT(name) SEC("tiercel.tp/btf_trace_" name)
#define REG(regs, field) ((regs)->field)
#define REGISTERS(buffer, regs) (regs)

/*
 * Most of the cost of capturing an open is one helper call for each pointer that is followed. From 6.2 on
 * bpf_rdonly_cast() declares a number to be a pointer to some type; a plain load then follows it, and a bad
 * address reads as 0. Only the loader knows the number of that function and of each type in the kernel,
 * because privd relocates the types against the few that it keeps (privd/types.cpp). TIERCEL_NO_CAST builds
 * the probe without.
 */
#if defined(TIERCEL_OLD_KERNEL) || defined(TIERCEL_NO_CAST)
#define FIELD(type, object, field) READ((type *)(object), field)
#else
extern const volatile __u32 tc_type_numbers[TIERCEL_TYPES_MAX];
#define CAST ((void *(*)(const void *object, __u32 btf_id))TIERCEL_CAST)
#define FIELD(type, object, field) \
    (((type *)CAST(object, tc_type_numbers[bpf_core_type_id_kernel(type)]))->field)
#endif

static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs___t)) {
        struct task_struct *self = (struct task_struct *)bpf_get_current_task_btf();

        return read_kernel(out, sizeof(*out), (void *)bpf_task_pt_regs(self));
    }
    return registers_on_stack(out, task);
}

#endif
