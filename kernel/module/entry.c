// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Makes, frees and finds the entries of a session (entry.h). */
#include "kernel/module/entry.h"

#include <linux/hash.h>
#include <linux/vmalloc.h>

#define ENTRY_BITS 8 /* 256 entries, 2 MiB */
#define TRIES 8	     /* entries that a thread may have, from its hash on */

int tiercel_entries_make(struct tiercel_session *session)
{
	if (!(session->config.tracepoints & TIERCEL_TP_PATHS))
		return 0;
	session->entries = vzalloc(sizeof(*session->entries) << ENTRY_BITS);
	return session->entries ? 0 : -ENOMEM;
}

void tiercel_entries_free(struct tiercel_session *session)
{
	vfree(session->entries);
}

struct tiercel_entry *tiercel_entry_of(struct tiercel_session *session, pid_t tid, bool claim)
{
	u32 first = hash_32(tid, ENTRY_BITS), k;

	if (!session->entries)
		return NULL;
	for (k = 0; k < TRIES; k++) {
		struct tiercel_entry *entry =
			&session->entries[(first + k) & ((1 << ENTRY_BITS) - 1)];

		if (READ_ONCE(entry->tid) == tid)
			return entry;
	}
	for (k = 0; claim && k < TRIES; k++) {
		struct tiercel_entry *entry =
			&session->entries[(first + k) & ((1 << ENTRY_BITS) - 1)];

		if (!READ_ONCE(entry->tid) && !cmpxchg(&entry->tid, 0, tid))
			return entry;
	}
	return NULL;
}
