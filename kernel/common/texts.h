/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Which arguments of a call are texts that drivers read at its entry: paths, the name of a program, and other
 * texts that the capture `path` takes. The kernel reads such a text when the call begins, and another thread
 * may change it before the call ends. Of mount(2), which has three, the first two are read at the entry.
 */
#ifndef TIERCEL_KERNEL_COMMON_TEXTS_H
#define TIERCEL_KERNEL_COMMON_TEXTS_H

#include "kernel/common/plan.h"

#define ENTRY_TEXTS 2 /* texts of one call that are kept */
#define NO_TEXT 7     /* in place of an argument's number */

/*
 * TEXTS_<symbol>: bit N says that argument N is a text. Only an event's first eight parameters are looked at,
 * so execve, whose argument 0 the capture exec_filename takes, is added by name.
 */
enum tiercel_texts_mask {
#define TEXT_ARGUMENT(zero, argument, ...) (argument)
#define TEXT_BIT(capture, ...) ((capture) == CAPTURE_path ? 1 << TEXT_ARGUMENT(0, ##__VA_ARGS__, 0) : 0)
#define P(name, type, format, info, capture, ...) TEXT_BIT(CAPTURE_##capture, ##__VA_ARGS__)
#define OWN(name, type, capture, ...) 0
#define TEXTS_OR(a, b, c, d, e, f, g, h, ...) ((a) | (b) | (c) | (d) | (e) | (f) | (g) | (h))
#define TEXTS_OF(...) TEXTS_OR(__VA_ARGS__)
#define EVENT(code, symbol, name, category, flags, source, ...)                       \
    TEXTS_##symbol = TEXTS_OF(0 __VA_OPT__(, ) __VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0) | \
                     (INDEX_##symbol == INDEX_SYSCALL_EXECVE_19_X),
#include "shared/event/events.def"
#undef EVENT
#undef P
#undef OWN
};

/* The numbers of the arguments, by event; NO_TEXT: there is no such text. */
#define LOWEST_BIT(mask) ((mask) ? __builtin_ctz((mask) ? (mask) : 1) : NO_TEXT)
static const volatile __u8 tiercel_texts[INDEX_COUNT][ENTRY_TEXTS] = {
#define EVENT(code, symbol, ...) \
    [INDEX_##symbol] = {LOWEST_BIT(TEXTS_##symbol), LOWEST_BIT(TEXTS_##symbol & (TEXTS_##symbol - 1))},
#include "shared/event/events.def"
#undef EVENT
};

#endif
