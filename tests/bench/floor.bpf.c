// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The least that telling of an event costs: its time, and a record of a usual size in a BPF ring
// buffer, with nothing in it.
#include "kernel/bpf_common/kernel_types.h"
// The helpers come second, because they need the types.
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} ring SEC(".maps");

const volatile __u32 reader = 0; // the process that reads the ring; its own calls give no record

SEC("tp_btf/sys_exit")
int least(void* ctx) {
    struct {
        __u64 time;
        char rest[104];
    } record = {};

    if (bpf_get_current_pid_tgid() >> 32 == reader)
        return 0;
    record.time = bpf_ktime_get_boot_ns();
    bpf_ringbuf_output(&ring, &record, sizeof(record), BPF_RB_NO_WAKEUP);
    return 0;
}
