// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Makes, counts and frees sessions, and puts their events into their rings. */
#include "kernel/module/session.h"

#include "kernel/module/compat/api.h"
#include "kernel/module/entry.h"

#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/slab.h>

#define EVENT_MAX 0xffff
#define RING_BYTES_MIN (64 << 10) /* as shared/wire/messages.h has them */
#define RING_BYTES_MAX (1 << 30)
#define SNAPLEN_MAX 65000

static bool is_valid(const struct tiercel_config *config)
{
	return is_power_of_2(config->ring_bytes) && config->ring_bytes >= RING_BYTES_MIN &&
	       config->ring_bytes <= RING_BYTES_MAX && config->snaplen <= SNAPLEN_MAX &&
	       config->args_max >= TIERCEL_ARGS_MIN && config->args_max <= TIERCEL_ARGS_MAX &&
	       !(config->tracepoints & ~TIERCEL_TP_ALL) && !config->per_syscall;
}

static void free_session(struct kref *users)
{
	struct tiercel_session *session = container_of(users, struct tiercel_session, users);
	u32 i;

	for (i = 0; i < session->ring_count; i++)
		tiercel_ring_free(&session->rings[i]);
	kvfree(session->rings);
	tiercel_area_free(&session->counter_area);
	tiercel_entries_free(session);
	kfree(session);
}

void tiercel_session_put(struct tiercel_session *session)
{
	kref_put(&session->users, free_session);
}

static int make_rings(struct tiercel_session *session)
{
	u32 share = session->config.cpus_per_ring ?: nr_cpu_ids, i;
	int error = 0;

	session->ring_count = DIV_ROUND_UP(nr_cpu_ids, share);
	session->rings = kvcalloc(session->ring_count, sizeof(*session->rings), GFP_KERNEL_ACCOUNT);
	if (!session->rings) {
		session->ring_count = 0;
		return -ENOMEM;
	}
	for (i = 0; i < session->ring_count && !error; i++) {
		session->rings[i].session = session;
		error = tiercel_ring_make(&session->rings[i], session->config.ring_bytes);
	}
	return error;
}

struct tiercel_session *tiercel_session_make(const struct tiercel_config *config)
{
	struct tiercel_session *session;
	int error;

	if (!is_valid(config))
		return ERR_PTR(-EINVAL);
	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	kref_init(&session->users);
	session->config = *config;
	error = tiercel_area_make(&session->counter_area,
				  DIV_ROUND_UP(nr_cpu_ids * sizeof(*session->counters), PAGE_SIZE),
				  DIV_ROUND_UP(nr_cpu_ids * sizeof(*session->counters), PAGE_SIZE));
	if (!error) {
		session->counters = session->counter_area.address;
		error = make_rings(session);
	}
	error = error ?: tiercel_entries_make(session);
	if (!error)
		return session;
	tiercel_session_put(session);
	return ERR_PTR(error);
}

void tiercel_submit(struct tiercel_session *session, unsigned int cpu, u8 *event, u32 len)
{
	u32 share = session->config.cpus_per_ring;
	struct tiercel_ring *ring = &session->rings[share ? cpu / share : 0];
	struct tiercel_record_trailer trailer = {.cpu = cpu};

	if (len > EVENT_MAX) {
		tiercel_count_drop(session, cpu, TIERCEL_DROP_TOO_LONG);
		return;
	}
	memcpy(event + len, &trailer, sizeof(trailer));
	if (tiercel_ring_put(ring, event, len + sizeof(trailer)))
		session->counters[cpu].events++;
	else
		tiercel_count_drop(session, cpu, TIERCEL_DROP_RING_FULL);
}
