/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel filter: which events of a system call leave the kernel. The analyzer makes it from the
 * rules, privd checks it, and every driver interprets it (kernel/common/prefilter.h). Plain C.
 *
 * An event passes if its code has no row, or if one of its rows passes. A row passes if all its
 * tests hold. Before an event that passes, the probe can tell the files of its descriptors, so that
 * the analyzer knows them without having seen their opens.
 */
#ifndef TIERCEL_SHARED_EVENT_FILTER_H
#define TIERCEL_SHARED_EVENT_FILTER_H

#ifndef TIERCEL_HAS_KERNEL_TYPES /* a platform may define __u64 and its like by itself */
#include <linux/types.h>
#endif

#define TIERCEL_FILTER_CODES 1152 /* every event code is below this */
#define TIERCEL_FILTER_ROWS 64
#define TIERCEL_FILTER_ROWS_OF_EVENT 6
#define TIERCEL_FILTER_NEEDLE 4 /* the longest text that a row looks for */
#define TIERCEL_RETURNED                                                                           \
    6 /* in place of an argument's number: the descriptor that the call returned */
#define TIERCEL_NO_ARGUMENT 7  /* the same: the row does not test it */
#define TIERCEL_ARGUMENTS 0x3f /* one bit for each argument of a call */

enum tiercel_filter_flags {
    TIERCEL_ROW_SUCCEEDED = 1 << 0, /* passes calls that succeeded */
    TIERCEL_ROW_MORE = 1 << 1,      /* the next row is of the same event */
    TIERCEL_ROW_FLAGS = (1 << 2) - 1,
};

/* What a descriptor stands for. */
enum tiercel_file_kind {
    TIERCEL_FILE_OTHER = 1 << 0,  /* a file of another kind, or none */
    TIERCEL_FILE_TCP = 1 << 1,    /* an internet socket of the protocol TCP */
    TIERCEL_FILE_SOCKET = 1 << 2, /* another socket */
    TIERCEL_FILE_DIRECTORY = 1 << 3,
    TIERCEL_FILE_KINDS = (1 << 4) - 1,
};

struct tiercel_filter_row {
    __u64 errors[2]; /* bit N: passes calls that failed with error N; bit 127: with 127 or a larger
                        one */
    __u64 values;    /* bit N: passes if the argument under the mask is N; bit 63: if it is 63 or
                        larger */
    __u32 mask;
    __u8 flags;     /* enum tiercel_filter_flags */
    __u8 value_arg; /* the argument of `values` */
    __u8 file_arg;  /* the descriptor of `files` */
    __u8 files;     /* the kinds that pass: enum tiercel_file_kind */
    __u8 text_arg;  /* the text that contains `needle` */
    __u8 needle_bytes;
    __u8 needle[TIERCEL_FILTER_NEEDLE];
    __u8 unused[2];
};

struct tiercel_filter {
    __u8 first[TIERCEL_FILTER_CODES]; /* 1 and the number of the event's first row; 0: every event
                                         passes */
    __u8 told[TIERCEL_FILTER_CODES]; /* the arguments whose files are told before the event, one bit
                                        each; sockets are not told */
    struct tiercel_filter_row rows[TIERCEL_FILTER_ROWS];
};

#ifdef __cplusplus
static_assert(sizeof(tiercel_filter_row) == 40 && sizeof(tiercel_filter) == 2 * 1152 + 64 * 40);
#endif

#endif
