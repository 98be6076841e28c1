/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The maps that both BPF probes have: the configuration, the counters and the scratch areas, and how a
 * program claims a scratch area. privd sizes the maps before the load and passes on only the counters.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_MAPS_H
#define TIERCEL_KERNEL_BPF_COMMON_MAPS_H

#include "kernel/common/capture.h"

/* A section of its own makes a map of its own, whose initial value privd writes. */
const volatile struct tiercel_config tc_config SEC(".rodata.config") = {};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct tiercel_cpu_counters);
} counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, TIERCEL_SLOTS_PER_CPU);
    __type(key, __u32);
    __type(value, struct capture);
} scratch SEC(".maps");

static __always_inline struct capture *capture_at(__u32 slot)
{
    return bpf_map_lookup_elem(&scratch, &slot);
}

static __always_inline void count_drop(__u32 cpu, enum tiercel_drop reason)
{
    struct tiercel_cpu_counters *counter = bpf_map_lookup_elem(&counters, &cpu);

    if (counter)
        __sync_fetch_and_add(&counter->drops[reason], 1);
}

/*
 * Programs at tracepoints run with preemption off, and a nested capture (of a page fault) ends before they go
 * on, so a plain addition is enough. Programs at functions (fexit) can preempt each other.
 */
static __always_inline void add(__u64 *counter, __s64 value)
{
    if (tc_config.per_syscall)
        __sync_fetch_and_add(counter, value);
    else
        *(volatile __u64 *)counter += value;
}

static __always_inline void count_filtered(__u32 cpu)
{
    struct tiercel_cpu_counters *counter = bpf_map_lookup_elem(&counters, &cpu);

    if (counter)
        add(&counter->filtered, 1);
}

/*
 * Claims a free scratch area of this CPU. Returns NULL after counting a drop. If a capture is preempted
 * between adding and comparing, both captures may see more than 1; both then leave the area and try the next.
 */
static __always_inline struct capture *claim_capture(__u32 cpu, __u32 *slot)
{
    for (__u32 k = 0; k < TIERCEL_SLOTS_PER_CPU; k++) {
        struct capture *c;

        *slot = cpu * TIERCEL_SLOTS_PER_CPU + k;
        c = capture_at(*slot);
        if (!c)
            break;
        add(&c->claims, 1);
        if (*(volatile __u64 *)&c->claims == 1) {
            c->slot = *slot;
            return c;
        }
        add(&c->claims, -1);
    }
    count_drop(cpu, TIERCEL_DROP_SCRATCH_BUSY);
    return NULL;
}

static __always_inline void release_capture(struct capture *c)
{
    add(&c->claims, -1);
}

#endif
