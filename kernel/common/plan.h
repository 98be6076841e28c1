/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The capture plan: the event table as drivers need it. For each event it has the captures and widths of the
 * parameters; for each syscall number the event. Drivers interpret this data, so no event has code of its
 * own. Plain C, made from shared/event/ alone.
 */
#ifndef TIERCEL_KERNEL_COMMON_PLAN_H
#define TIERCEL_KERNEL_COMMON_PLAN_H

#include "kernel/common/abi.h"

/*
 * CAPTURE_path and so on, one for each row. CAPTURE_FIRST_USER equals the first capture of the group USER:
 * the enumerator after it sets the count back by one, so that the group's first row gets the same number.
 */
enum tiercel_capture {
#define GROUP(group) CAPTURE_FIRST_##group, CAPTURE_BEFORE_##group = CAPTURE_FIRST_##group - 1,
#define CAPTURE(name, doc) CAPTURE_##name,
#include "shared/event/captures.def"
#undef GROUP
#undef CAPTURE
    CAPTURE_COUNT,
};

enum tiercel_width {
#define PARAM_TYPE(name, width, doc) WIDTH_##name = width,
#include "shared/event/types.def"
#undef PARAM_TYPE
};

#define TIERCEL_MAX_PARAMS 34 /* of any event; loops over parameters end there, so more cost time at load */
#define TIERCEL_PARAM_MASK 63 /* not less, for the verifier */

struct tiercel_param {
    __u8 capture; /* enum tiercel_capture */
    __u8 width;   /* bytes of a number; 0: the value has its own length */
    __u8 arg[2];  /* the capture's arguments */
};

struct tiercel_event {
    __u16 code;
    __u16 nparams;
    struct tiercel_param params[TIERCEL_MAX_PARAMS];
};

enum tiercel_event_index {
#define EVENT(code, symbol, ...) INDEX_##symbol,
#include "shared/event/events.def"
#undef EVENT
    INDEX_COUNT,
};

#define P(name, type, format, info, capture, ...) \
    {                                             \
        CAPTURE_##capture, WIDTH_##type,          \
        {                                         \
            __VA_ARGS__                           \
        }                                         \
    }
#define OWN(name, type, capture, ...) P(name, type, NA, kNone, capture, __VA_ARGS__)
#define EVENT(the_code, symbol, name, category, flags, source, ...)                              \
    [INDEX_##symbol] = {                                                                         \
        .code = (the_code),                                                                      \
        .nparams = sizeof((struct tiercel_param[]){__VA_ARGS__}) / sizeof(struct tiercel_param), \
        .params = {__VA_ARGS__},                                                                 \
    },
static const volatile struct tiercel_event tiercel_events[INDEX_COUNT] = {
#include "shared/event/events.def"
};
#undef EVENT
#undef P
#undef OWN

#define SYSCALLS1(...) 1, __VA_ARGS__
#define SYSCALLS2(...) 2, __VA_ARGS__
#define SYSCALLS3(...) 3, __VA_ARGS__
#define SYSCALLS4(...) 4, __VA_ARGS__
#define EVERY_OTHER_SYSCALL 0, 0
#define TRACEPOINT(name) 0, 0
#define ITERATOR(name) 0, 0

/* Runs EVENT_OF(syscall, index) for each syscall that an event's source column names. */
#define EVENT_ROWS_0(index, ...)
#define EVENT_ROWS_1(index, a) EVENT_OF(a, index)
#define EVENT_ROWS_2(index, a, b) EVENT_OF(a, index) EVENT_OF(b, index)
#define EVENT_ROWS_3(index, a, b, c) EVENT_ROWS_2(index, a, b) EVENT_OF(c, index)
#define EVENT_ROWS_4(index, a, b, c, d) EVENT_ROWS_3(index, a, b, c) EVENT_OF(d, index)
#define EVENT_ROWS_(index, n, ...) EVENT_ROWS_##n(index, __VA_ARGS__)
#define EVENT_ROWS(index, ...) EVENT_ROWS_(index, __VA_ARGS__)
#define EVENT(code, symbol, name, category, flags, source, ...) EVENT_ROWS(INDEX_##symbol, source)

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define NATIVE_OF(x86_64, arm64) (arm64)
#else
#define NATIVE_OF(x86_64, arm64) (x86_64)
#endif

/* NATIVE_open: its number on this machine; IA32_open: for i386 callers; -1: there is none. */
enum {
#define SYSCALL(name, x86_64, i386, arm64, scap) \
    NATIVE_##name = NATIVE_OF(x86_64, arm64), IA32_##name = (i386),
#define SYSCALL_COMPAT(name, i386, native, scap) NATIVE_##name = -1, IA32_##name = (i386),
#define SYSCALL_X32(native, x32)
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
};

/* The event of a syscall's exit. Index 0 is the generic event, for syscalls without one of their own. */
struct tiercel_syscall {
    __u16 native; /* the number whose interest bit covers the syscall */
    __u16 index;  /* enum tiercel_event_index */
    __u16 scap;   /* what the generic event carries as ID */
    __u16 known;  /* 0: no such syscall is in the table */
};

/* Rows without a number on this machine share the last slot, which is never looked up. */
#define TIERCEL_SYSCALL_SLOTS (TIERCEL_SYSCALL_MAX + 1)
#define SLOT_OF(number) ((number) < 0 ? TIERCEL_SYSCALL_MAX : (number))

#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
static const volatile struct tiercel_syscall tiercel_native[TIERCEL_SYSCALL_SLOTS] = {
#define SYSCALL(name, x86_64, i386, arm64, the_scap)                                                      \
    [SLOT_OF(NATIVE_##name)].native = SLOT_OF(NATIVE_##name), [SLOT_OF(NATIVE_##name)].scap = (the_scap), \
    [SLOT_OF(NATIVE_##name)].known = 1,
#define SYSCALL_COMPAT(name, i386, native, scap)
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
#define EVENT_OF(name, the_index) [SLOT_OF(NATIVE_##name)].index = (the_index),
#include "shared/event/events.def"
#undef EVENT_OF
};

#ifdef TIERCEL_HAS_IA32
static const volatile struct tiercel_syscall tiercel_ia32[TIERCEL_SYSCALL_SLOTS] = {
#define SYSCALL(name, x86_64, i386, arm64, the_scap)                                                  \
    [SLOT_OF(IA32_##name)].native = SLOT_OF(NATIVE_##name), [SLOT_OF(IA32_##name)].scap = (the_scap), \
    [SLOT_OF(IA32_##name)].known = 1,
#define SYSCALL_COMPAT(name, i386, the_native, the_scap)                                                    \
    [SLOT_OF(IA32_##name)].native = SLOT_OF(NATIVE_##the_native), [SLOT_OF(IA32_##name)].scap = (the_scap), \
    [SLOT_OF(IA32_##name)].known = 1,
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
#define EVENT_OF(name, the_index) [SLOT_OF(IA32_##name)].index = (the_index),
#include "shared/event/events.def"
#undef EVENT_OF
};

/* x32 callers use native numbers below 512 and these from there on (arch/x86/entry/syscalls/syscall_64.tbl).
 */
#define TIERCEL_X32_FIRST 512
#define TIERCEL_X32_COUNT 64
static const volatile __u16 tiercel_x32[TIERCEL_X32_COUNT] = {
#define SYSCALL(name, x86_64, i386, arm64, scap)
#define SYSCALL_COMPAT(name, i386, native, scap)
#undef SYSCALL_X32
#define SYSCALL_X32(native, x32) [(x32)-TIERCEL_X32_FIRST] = NATIVE_##native,
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
};
#endif
#undef SYSCALL_X32
#undef EVENT
#pragma GCC diagnostic pop
#endif
