/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The texts of calls, read at the entry and kept until the exit, as kernel/bpf_common/entry.h does
 * it. A session has a fixed number of entries. A thread that finds none has its texts read at the
 * exit.
 */
#ifndef TIERCEL_KERNEL_MODULE_ENTRY_H
#define TIERCEL_KERNEL_MODULE_ENTRY_H

#include "kernel/common/texts.h"
#include "kernel/module/session.h"

#define ENTRY_TEXT_BYTES 4096 /* PATH_MAX */

struct tiercel_entry {
	pid_t tid;		  /* the thread that has claimed the entry; 0: none */
	u16 index;		  /* enum tiercel_event_index */
	u64 address[ENTRY_TEXTS]; /* in the caller's memory; 0: there is no text */
	char text[ENTRY_TEXTS][ENTRY_TEXT_BYTES];
};

int tiercel_entries_make(struct tiercel_session *session);
void tiercel_entries_free(struct tiercel_session *session);

/* Returns the thread's entry, or NULL; with `claim`, claims a free one if it has none. */
struct tiercel_entry *tiercel_entry_of(struct tiercel_session *session, pid_t tid, bool claim);

/* Lets other threads have the entry. NULL is allowed. */
static inline void tiercel_entry_release(struct tiercel_entry *entry)
{
	if (entry)
		smp_store_release(&entry->tid, 0);
}

#endif
