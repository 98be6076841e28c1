/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Data that a probe shares with other programs: the configuration that the loader writes before the
 * load, the counters that the analyzer maps read-only, and the record in a ring. Plain C, so that BPF C,
 * the kernel module and C++ all include it; the sizes are asserted below.
 */
#ifndef TIERCEL_KERNEL_COMMON_ABI_H
#define TIERCEL_KERNEL_COMMON_ABI_H

#ifndef TIERCEL_HAS_KERNEL_TYPES /* a platform may define __u64 and its like by itself */
#include <linux/types.h>
#endif

#include "shared/event/filter.h"

/* Native syscall numbers on x86-64 and arm64 are below this; the interest bitmap has one bit for each. */
#define TIERCEL_SYSCALL_MAX 512

/* Optional tracepoint events; exec, fork and exit are always on, because state tracking needs them. */
enum tiercel_tracepoint {
    TIERCEL_TP_SIGNAL = 1 << 0,     /* signaldeliver */
    TIERCEL_TP_SWITCH = 1 << 1,     /* switch: off by default */
    TIERCEL_TP_PAGE_FAULT = 1 << 2, /* page_fault: off by default */
    TIERCEL_TP_PATHS = 1 << 3,      /* paths come from the kernel's objects, and texts from sys_enter */
    TIERCEL_TP_ALL = (1 << 4) - 1,
};

/* The bytes of a command line that can be kept, as shared/wire/messages.h has them; powers of two. */
#define TIERCEL_ARGS_MIN 4096
#define TIERCEL_ARGS_MAX 32768

/* The verifier sees constants (const volatile in .rodata) and removes the code of what is off. */
struct tiercel_config {
    __u64 interest[TIERCEL_SYSCALL_MAX / 64]; /* bit N: syscall number N is wanted */
    __u64 boot_time_ns;                       /* CLOCK_REALTIME minus CLOCK_BOOTTIME, ns */
    __u32 tracepoints;                        /* enum tiercel_tracepoint */
    __u32 snaplen;                            /* bytes of I/O data kept per event, at most 65,000 */
    __u32 cpus_per_ring;                      /* CPUs that share a ring; 0: all share ring 0 */
    __u32 ring_bytes;                         /* size of each ring, a power of two */
    __u32 self_tgid;                          /* process whose events are not captured: the analyzer */
    __u32 per_syscall;                        /* 1: attached per syscall (fexit), 0: sys_exit tracepoint */
    __u32 args_max;                           /* bytes of a command line kept, TIERCEL_ARGS_MIN to _MAX */
    __u32 unused;
    struct tiercel_filter filter; /* what of the wanted syscalls is captured */
};

/*
 * The loader of the modern probe completes two things: the calls of bpf_rdonly_cast(), which the probe makes
 * by a number that no helper has, and the kernel's numbers of the types that the probe is relocated against.
 */
#define TIERCEL_CAST 0x7ca57
#define TIERCEL_TYPES_MAX 1024

/* Why an event was not delivered. */
enum tiercel_drop {
    TIERCEL_DROP_RING_FULL,    /* the ring had no room: the analyzer is too slow */
    TIERCEL_DROP_SCRATCH_BUSY, /* every scratch area of this CPU was in use by preempted captures */
    TIERCEL_DROP_TOO_LONG,     /* the event did not fit the scratch area */
    TIERCEL_DROP_NO_RING,      /* classic probe: the CPU came online after the rings were made */
    TIERCEL_DROP_REASONS = 6,  /* array size; reasons may be added up to it */
};

/* One cache line for each CPU, in a map that user space can only read. */
struct tiercel_cpu_counters {
    __u64 events;                      /* submitted to a ring */
    __u64 drops[TIERCEL_DROP_REASONS]; /* enum tiercel_drop */
    __u64 filtered;                    /* wanted, but not captured because of the filter */
} __attribute__((aligned(64)));

/*
 * What the loader and the io_uring programs of a BPF probe tell each other. The probe fills `operations` from
 * shared/event/uring.def, the loader the rest: it counts the parameters that the kernel's tracepoints have.
 */
#define TIERCEL_URING_OPERATIONS 64
struct tiercel_uring {
    __u32 submit_args;   /* of io_uring_submit_req or io_uring_submit_sqe; 0: the programs are not attached */
    __u32 complete_args; /* of io_uring_complete */
    __u32 enter_number;  /* io_uring_enter(), whose exit the programs need */
    __u32 enter_unasked; /* 1: the analyzer did not ask for its events */
    struct {
        __u16 known;
        __u16 call[2]; /* native numbers: without flags, with flags */
        __u16 unused;
    } operations[TIERCEL_URING_OPERATIONS];
};

/*
 * A ring record is one event in the scap layout (shared/event/view.h), followed by this trailer. The event's
 * own length field does not count the trailer.
 */
#define TIERCEL_CPU_URING 0x8000
struct tiercel_record_trailer {
    __u16 cpu; /* TIERCEL_CPU_URING is set if the call was made through io_uring */
} __attribute__((packed));

#ifdef __cplusplus
static_assert(sizeof(tiercel_config) == 104 + sizeof(tiercel_filter) && sizeof(tiercel_cpu_counters) == 64);
#else
_Static_assert(sizeof(struct tiercel_config) == 104 + sizeof(struct tiercel_filter),
               "crosses the loader boundary");
_Static_assert(sizeof(struct tiercel_cpu_counters) == 64, "one cache line a CPU");
#endif

#endif
