/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The modern probe's maps, and the two operations on them: claiming a scratch area and submitting what was
 * captured there. privd sizes the maps before the load; only the rings and the counters leave privd.
 */
#ifndef TIERCEL_KERNEL_BPF_MODERN_MAPS_H
#define TIERCEL_KERNEL_BPF_MODERN_MAPS_H

#include "kernel/common/capture.h"

/* In a section, so a map, of its own: privd writes the map's initial value. */
const volatile struct tiercel_config tc_config SEC(".rodata.config") = {};

/* Ring buffers, one for each tc_config.cpus_per_ring CPUs; privd creates and stores them. */
struct ring {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct ring);
} rings SEC(".maps");

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
 * Programs at tracepoints run with preemption off: what they count, nobody else on this CPU counts meanwhile,
 * and a nested capture (a page fault's) is over before they go on. Those at functions (fexit) can be
 * preempted by each other.
 */
static __always_inline void add(__u64 *counter, __s64 value)
{
    if (tc_config.per_syscall)
        __sync_fetch_and_add(counter, value);
    else
        *(volatile __u64 *)counter += value;
}

/*
 * A free scratch area of this CPU, or NULL (and the event is counted as dropped). Two captures that race
 * for one, because the first was preempted between adding and looking, both see more than 1 and leave it.
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

/*
 * Readers look at the rings every few milliseconds by themselves. One that fell behind is woken: now and
 * then the ring's fill is looked at, and a quarter full is worth the interrupt.
 */
#define LOOK_EVERY 64

static __always_inline __u64 wakeup_flags(void *ring, __u64 events)
{
    if (events % LOOK_EVERY)
        return BPF_RB_NO_WAKEUP;
    if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < tc_config.ring_bytes / 4)
        return BPF_RB_NO_WAKEUP;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void submit_event(struct capture *c, __u32 cpu)
{
    __u32 ring_index = tc_config.cpus_per_ring ? cpu / tc_config.cpus_per_ring : 0;
    void *ring = bpf_map_lookup_elem(&rings, &ring_index);
    struct tiercel_cpu_counters *counter = bpf_map_lookup_elem(&counters, &cpu);
    __u32 len = c->end;

    if (!ring || !counter)
        return;
    if (len > EVENT_MAX) {
        add(&counter->drops[TIERCEL_DROP_TOO_LONG], 1);
        return;
    }
    *(__u16 *)&c->buf[len] = cpu;
    if (bpf_ringbuf_output(ring, c->buf, len + sizeof(struct tiercel_record_trailer),
                           wakeup_flags(ring, counter->events)))
        add(&counter->drops[TIERCEL_DROP_RING_FULL], 1);
    else
        add(&counter->events, 1);
}

#endif
