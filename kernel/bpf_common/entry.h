/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The texts of a call are read at its entry, as the kernel reads them, and kept until its exit. A call can
 * wait for long in between, as an open of a pipe does, and another thread can change the texts meanwhile.
 *
 * Each thread has one entry, which it uses again for its next call until it ends. If there are too many
 * threads, the kernel takes the entry that was not used for the longest time; the call of such a thread has
 * the texts as of its exit. So has a call whose text is not in memory at the entry.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_ENTRY_H
#define TIERCEL_KERNEL_BPF_COMMON_ENTRY_H

#include "kernel/bpf_common/maps.h"
#include "kernel/common/syscalls.h"
#include "kernel/common/texts.h"
#include "kernel/common/user_memory.h"

#define SHORT_TEXT 256 /* bytes of a text that its entry has room for; longer texts are in long_texts */

struct entry_text {
    __u64 address; /* in the caller's memory; 0: there is no text */
    __u64 is_long;
    char text[SHORT_TEXT];
};

struct entry {
    __u64 args[8]; /* six, and room for any number below NO_TEXT + 1 */
    __u64 index;   /* enum tiercel_event_index; 0: the texts have been used */
    struct entry_text texts[ENTRY_TEXTS];
};

struct long_key {
    __u32 tid, which;
};
struct long_text {
    char text[TEXT_MAX];
};

/* privd multiplies the number of entries by that of CPUs (privd/drivers/probe.cpp). */
#define ENTRY_MAP(name, key_type, value_type, entries_of_a_cpu) \
    struct {                                                    \
        __uint(type, BPF_MAP_TYPE_LRU_HASH);                    \
        __uint(max_entries, entries_of_a_cpu);                  \
        __type(key, key_type);                                  \
        __type(value, value_type);                              \
    } name SEC(".maps")
ENTRY_MAP(entries, __u32, struct entry, 512);
ENTRY_MAP(long_texts, struct long_key, struct long_text, 32);

static const struct entry no_entry;
static const struct long_text no_text;

static __always_inline struct entry *entry_to_fill(__u32 tid)
{
    struct entry *entry = bpf_map_lookup_elem(&entries, &tid);

    if (entry)
        return entry;
    bpf_map_update_elem(&entries, &tid, &no_entry, 0);
    return bpf_map_lookup_elem(&entries, &tid);
}

static __always_inline int save_long_text(__u32 tid, __u32 which, __u64 address)
{
    struct long_key key = {.tid = tid, .which = which};
    struct long_text *copy = bpf_map_lookup_elem(&long_texts, &key);

    if (!copy) {
        bpf_map_update_elem(&long_texts, &key, &no_text, 0);
        copy = bpf_map_lookup_elem(&long_texts, &key);
    }
    return copy && read_user_text(copy->text, sizeof(copy->text), address) > 0;
}

/* Gives the room of a thread that ends to others. Many short processes would push out a thread that waits. */
static __always_inline void forget_entry(__u32 tid)
{
    struct long_key first = {.tid = tid, .which = 0}, second = {.tid = tid, .which = 1};

    if (!(tc_config.tracepoints & TIERCEL_TP_PATHS) || bpf_map_delete_elem(&entries, &tid))
        return;
    bpf_map_delete_elem(&long_texts, &first);
    bpf_map_delete_elem(&long_texts, &second);
}

/* The argument that is the event's first or second text; NO_TEXT: there is none. */
static __always_inline __u32 text_argument(__u32 index, __u32 which)
{
    index = opaque(index);
    return index < INDEX_COUNT ? opaque(tiercel_texts[index][which]) : NO_TEXT;
}

static __always_inline void save_text(struct entry *entry, __u32 tid, __u32 which)
{
    __u32 n = text_argument(entry->index, which);
    struct entry_text *text = &entry->texts[which];
    __u64 address;
    __s64 size;

    text->address = 0;
    if (n >= NO_TEXT)
        return;
    address = entry->args[n];
    size = read_user_text(text->text, SHORT_TEXT, address);
    text->is_long = size == SHORT_TEXT; /* cut, or just short enough */
    if (size > 0 && (!text->is_long || save_long_text(tid, which, address)))
        text->address = address;
}

/* Saves the texts of the thread's entry, whose arguments and event are set. */
NOINLINE int save_texts(__u32 tid)
{
    struct entry *entry = bpf_map_lookup_elem(&entries, &tid);

    if (!entry)
        return 0;
    save_text(entry, tid, 0);
    save_text(entry, tid, 1);
    return 0;
}

/* Saves the texts of the call that the current thread enters. It is not inlined, as syscall_done(). */
static __attribute__((noinline)) int call_entered(const struct pt_regs *regs)
{
    struct task_struct *task = this_task();
    struct pt_regs copy __attribute__((unused));
    struct call call = {};
    struct entry *entry;
    __u64 id;

    if (!identify_call(&call, regs, task) || !wanted(&tc_config, call.native) || call.indirect)
        return 0;
    if (text_argument(call.index, 0) == NO_TEXT)
        return 0;
    id = current_ids();
    if (id >> 32 == tc_config.self_tgid)
        return 0;
    entry = entry_to_fill((__u32)id);
    if (!entry)
        return 0;
    read_arguments(entry->args, REGISTERS(&copy, regs), call.ia32);
    entry->index = call.index;
    return save_texts((__u32)id);
}

/* A text of another address belongs to an earlier call, whose exit was not seen. */
static __always_inline void use_text(struct capture *c, const struct entry *entry, __u32 tid, __u32 which)
{
    __u32 n = text_argument(entry->index, which);
    const struct entry_text *text = &entry->texts[which];
    struct long_key key = {.tid = tid, .which = which};

    if (n >= 6 || !text->address || text->address != c->args[n])
        return;
    use_saved(c, n, text->is_long ? bpf_map_lookup_elem(&long_texts, &key) : (const void *)text->text);
}

/*
 * Makes the arguments of the finished call in a scratch area the texts that were saved at its entry. It is
 * global, so that the verifier does not follow its branches through the loops of the caller.
 */
NOINLINE int use_entry(__u32 slot, __u32 tid)
{
    struct capture *c = capture_at(slot);
    struct entry *entry = bpf_map_lookup_elem(&entries, &tid);

    if (!c || !entry || !entry->index || entry->index != c->index)
        return 0;
    use_text(c, entry, tid, 0);
    use_text(c, entry, tid, 1);
    entry->index = 0;
    return 0;
}

static __always_inline int has_entry(__u16 index)
{
    return tc_config.tracepoints & TIERCEL_TP_PATHS && text_argument(index, 0) != NO_TEXT;
}

#endif
