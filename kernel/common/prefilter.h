/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The interpreter of the kernel filter (shared/event/filter.h), which decides whether the event of a finished
 * call is captured at all. All drivers share it. It is safe for any content of the filter.
 */
#ifndef TIERCEL_KERNEL_COMMON_PREFILTER_H
#define TIERCEL_KERNEL_COMMON_PREFILTER_H

#include "kernel/common/captures/iter.h"
#include "kernel/common/user_memory.h"

#define PROTOCOL_TCP 6      /* IPPROTO_TCP */
#define NEEDLE_TEXT_MAX 256 /* bytes of a text that are searched; a longer text passes */

static __always_inline const volatile struct tiercel_filter_row *filter_row(const struct capture *c,
                                                                            __u32 number)
{
    number = opaque(number);
    if (number >= TIERCEL_FILTER_ROWS)
        return NULL;
    return &config_of(c)->filter.rows[opaque(number)]; /* not before the check */
}

/* 1 and the number of the event's first row; 0: every event passes. */
static __always_inline __u32 first_row(const struct capture *c)
{
    __u32 index = opaque(c->index), code;

    if (index >= INDEX_COUNT)
        return 0;
    code = opaque(tiercel_events[index].code);
    return code < TIERCEL_FILTER_CODES ? config_of(c)->filter.first[code] : 0;
}

/* The arguments whose files are told before the event `index`, one bit each. */
static __always_inline __u32 told_arguments(const struct capture *c, __u32 index)
{
    __u32 code;

    index = opaque(index);
    if (index >= INDEX_COUNT)
        return 0;
    code = opaque(tiercel_events[index].code);
    return code < TIERCEL_FILTER_CODES ? config_of(c)->filter.told[code] : 0;
}

static __always_inline int result_passes(const struct capture *c,
                                         const volatile struct tiercel_filter_row *row)
{
    __u64 error = -(__u64)c->ret;
    __u32 bit = opaque(error > 127 ? 127 : error);

    if (c->ret >= 0)
        return row->flags & TIERCEL_ROW_SUCCEEDED;
    return bit < 64 ? row->errors[0] >> bit & 1 : row->errors[1] >> (bit & 63) & 1;
}

static __always_inline int value_passes(const struct capture *c,
                                        const volatile struct tiercel_filter_row *row)
{
    __u32 value;

    if (row->value_arg >= TIERCEL_NO_ARGUMENT)
        return 1;
    value = (__u32)argument(c, opaque(row->value_arg)) & row->mask;
    return row->values >> (value > 63 ? 63 : value) & 1;
}

static __always_inline __u32 file_kind(const struct capture *c, __s32 fd)
{
    struct file *file = file_of(c, fd);
    __u32 type = file ? READ(file, f_inode, i_mode) & MODE_TYPE : 0;
    struct sock *sk;
    __u16 family;

    if (type == MODE_DIRECTORY)
        return TIERCEL_FILE_DIRECTORY;
    if (type != MODE_SOCKET)
        return TIERCEL_FILE_OTHER;
    sk = file_sock(file);
    family = READ(sk, __sk_common.skc_family);
    if ((family == FAMILY_INET || family == FAMILY_INET6) && BITFIELD(sk, sk_protocol) == PROTOCOL_TCP)
        return TIERCEL_FILE_TCP;
    return TIERCEL_FILE_SOCKET;
}

static __always_inline int file_passes(const struct capture *c, const volatile struct tiercel_filter_row *row)
{
    __u32 n = opaque(row->file_arg);

    if (n >= TIERCEL_NO_ARGUMENT)
        return 1;
    return row->files & file_kind(c, n == TIERCEL_RETURNED ? (__s32)c->ret : signed_argument(c, n));
}

static __always_inline __s64 read_searched_text(struct capture *c, __u32 n)
{
    __u64 address = argument(c, n);

    if (is_saved(c, n))
        return read_kernel_text(c->tmp, NEEDLE_TEXT_MAX, (const void *)address);
    return read_user_text(c->tmp, NEEDLE_TEXT_MAX, address);
}

/* Whether the text at the row's argument contains the needle, or may contain it behind what is read. */
static __always_inline int text_passes(struct capture *c, const volatile struct tiercel_filter_row *row)
{
    __u32 needle = 0, window = 0, bytes = row->needle_bytes, mask;
    __s64 length;

    if (row->text_arg >= TIERCEL_NO_ARGUMENT || bytes == 0 || bytes > TIERCEL_FILTER_NEEDLE)
        return 1;
    for (__u32 k = 0; k < TIERCEL_FILTER_NEEDLE; k++)
        if (k < bytes)
            needle = needle << 8 | row->needle[k];
    mask = bytes == TIERCEL_FILTER_NEEDLE ? ~0u : (1u << (8 * bytes)) - 1;
    length = read_searched_text(c, opaque(row->text_arg));
    if (length <= 0 || length >= NEEDLE_TEXT_MAX)
        return 1;
    for (__u32 k = 0; k < NEEDLE_TEXT_MAX; k++) {
        __u8 letter = c->tmp[k];

        if (!letter)
            break;
        window = window << 8 | letter;
        if ((window & mask) == needle)
            return 1;
    }
    return 0;
}

/* Whether the event of the call in this scratch area is captured. */
NOINLINE int passes_filter(__u32 slot)
{
    struct capture *c = capture_at(slot);
    __u32 number;

    if (!c)
        return 1;
    number = first_row(c);
    if (!number)
        return 1;
    for (__u32 k = 0; k < TIERCEL_FILTER_ROWS_OF_EVENT; k++) {
        const volatile struct tiercel_filter_row *row = filter_row(c, number - 1 + k);

        if (!row)
            return 1;
        if (result_passes(c, row) && value_passes(c, row) && file_passes(c, row) && text_passes(c, row))
            return 1;
        if (!(row->flags & TIERCEL_ROW_MORE))
            return 0;
    }
    return 1;
}

#endif
