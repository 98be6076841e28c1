/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Scratch areas: where captures are put together. Each CPU that ever was online has a few, for
 * captures that nest (a page fault within one, an NMI within that); one more serves the dumps,
 * which take turns. A capture runs with preemption and page faults disabled, so a CPU's areas are
 * claimed and released like a stack.
 */
#ifndef TIERCEL_KERNEL_MODULE_SCRATCH_H
#define TIERCEL_KERNEL_MODULE_SCRATCH_H

#include "kernel/common/capture.h"
#include "kernel/module/session.h"

#define SCRATCH_DEPTH 3

struct tiercel_scratch {
	const struct tiercel_config *config; /* of the session that the capture is for */
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

/* The area of this number, readied for a capture of the session. */
static inline struct capture *tiercel_ready_scratch(struct tiercel_session *session, u32 slot)
{
	struct tiercel_scratch *scratch = tiercel_scratch[slot];

	scratch->config = &session->config;
	scratch->capture.slot = slot;
	return &scratch->capture;
}

#define DUMP_SLOT (nr_cpu_ids * SCRATCH_DEPTH)

int tiercel_scratch_make(void);
void tiercel_scratch_free(void); /* when nothing captures any more */

#endif
