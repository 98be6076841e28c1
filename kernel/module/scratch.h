/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Scratch areas: the memory in which captures put events together. Each CPU that was ever online
 * has several, because captures nest: a page fault within a capture, an NMI within that. One more
 * area serves the dumps, which take turns. A capture runs with preemption and page faults disabled,
 * so a CPU's areas are claimed and released like a stack.
 */
#ifndef TIERCEL_KERNEL_MODULE_SCRATCH_H
#define TIERCEL_KERNEL_MODULE_SCRATCH_H

#include "kernel/common/capture.h"
#include "kernel/module/session.h"

#define SCRATCH_DEPTH 3

struct tiercel_scratch {
	const struct tiercel_config *config; /* of the session that the capture belongs to */
	struct capture capture;
};

extern struct tiercel_scratch **tiercel_scratch; /* by slot */

static __always_inline struct capture *capture_at(u32 slot)
{
	return &tiercel_scratch[slot]->capture;
}

static __always_inline const struct tiercel_config *config_of(const struct capture *c)
{
	return container_of(c, struct tiercel_scratch, capture)->config;
}

/* Prepares the area of this number for a capture of the session. */
static inline struct capture *tiercel_ready_scratch(struct tiercel_session *session, u32 slot)
{
	struct tiercel_scratch *scratch = tiercel_scratch[slot];

	scratch->config = &session->config;
	scratch->capture.slot = slot;
	return &scratch->capture;
}

#define DUMP_SLOT (nr_cpu_ids * SCRATCH_DEPTH)

int tiercel_scratch_make(void);
void tiercel_scratch_free(void); /* call when no capture runs any more */

#endif
