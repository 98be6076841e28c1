/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The classic probe's part of kernel/common/platform.h. The kernel need not have BTF: a raw tracepoint hands
 * mere numbers to the program, and a helper reads everything behind them.
 */
#ifndef TIERCEL_KERNEL_BPF_CLASSIC_PLATFORM_H
#define TIERCEL_KERNEL_BPF_CLASSIC_PLATFORM_H

#include "kernel/bpf_common/platform.h"

/* Kernels of this probe warn of maps whose memory is not there from the start (kernel/bpf/verifier.c). */
#define URING_MAP_FLAGS 0
#define URING_REQUESTS 512
#define URING_NAMES 128

#define AT_TRACEPOINT(name) SEC("raw_tp/" name)
#define FIELD(type, object, field) READ((type *)(object), field)
#define REG(regs, field) READ(regs, field)
#define REGISTERS(buffer, regs) \
    (read_kernel(buffer, sizeof(struct pt_regs), regs), (const struct pt_regs *)(buffer))

/* bpf_task_pt_regs() would need a typed pointer, and with that a kernel that has BTF. */
static __always_inline int entry_registers(struct pt_regs *out, struct task_struct *task)
{
    return registers_on_stack(out, task);
}

#endif
