/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The modern probe's rings, which are BPF ring buffers, and submit_event(), which puts an event into one. */
#ifndef TIERCEL_KERNEL_BPF_MODERN_RINGS_H
#define TIERCEL_KERNEL_BPF_MODERN_RINGS_H

#include "kernel/bpf_common/maps.h"

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

/*
 * Readers poll the rings every few milliseconds. Every LOOK_EVERY events the ring's fill is checked, and a
 * reader that fell behind is woken: a ring that is a quarter full is worth the interrupt.
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

static __always_inline void submit_event(void *ctx, struct capture *c, __u32 cpu)
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
    *(__u16 *)&c->buf[len] = cpu | c->cpu_flags;
    if (bpf_ringbuf_output(ring, c->buf, len + sizeof(struct tiercel_record_trailer),
                           wakeup_flags(ring, counter->events)))
        add(&counter->drops[TIERCEL_DROP_RING_FULL], 1);
    else
        add(&counter->events, 1);
}

#endif
