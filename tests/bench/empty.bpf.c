// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The least that any sensor at the sys_exit tracepoint costs: a program that does nothing. What the
// probe adds is measured against it.
#include "kernel/bpf_common/kernel_types.h"
// The helpers come second, because they need the types.
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_exit")
int empty(void* ctx) {
    return 0;
}
