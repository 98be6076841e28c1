// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The classic probe: raw tracepoints and a perf buffer for each CPU, without BPF ring buffers and iterators.
// The kernel need not have BTF: a file may describe its structures instead. kernel/common/ and
// kernel/bpf_common/ decide what an event holds and which tracepoint gives it; this file only puts an event
// into a perf buffer.

#include "kernel/bpf_common/maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define CURRENT_CPU 0xffffffffULL /* include/uapi/linux/bpf.h, BPF_F_CURRENT_CPU */
#define ERROR_BUSY (-16)
#define ERROR_NO_SPACE (-28)

/*
 * A perf record's size has 16 bits (struct perf_event_header), which is less than a scratch area holds. The
 * record also contains the header, the length, the trailer and padding.
 */
#define PERF_EVENT_MAX (0xffff - 64)

/* Perf events, by CPU; privd opens and stores them. */
struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} rings SEC(".maps");

static __always_inline enum tiercel_drop drop_reason(long error)
{
    if (error == ERROR_NO_SPACE)
        return TIERCEL_DROP_RING_FULL;
    return error == ERROR_BUSY ? TIERCEL_DROP_SCRATCH_BUSY : TIERCEL_DROP_NO_RING;
}

static __always_inline void submit_event(void *ctx, struct capture *c, __u32 cpu)
{
    struct tiercel_cpu_counters *counter = bpf_map_lookup_elem(&counters, &cpu);
    __u32 len = opaque(c->end);
    long error;

    if (!counter)
        return;
    if (len > PERF_EVENT_MAX) {
        add(&counter->drops[TIERCEL_DROP_TOO_LONG], 1);
        return;
    }
    *(__u16 *)&c->buf[len] = cpu | c->cpu_flags;
    error =
        bpf_perf_event_output(ctx, &rings, CURRENT_CPU, c->buf, len + sizeof(struct tiercel_record_trailer));
    if (error)
        add(&counter->drops[drop_reason(error)], 1);
    else
        add(&counter->events, 1);
}

#include "kernel/bpf_common/tracepoints.h"
