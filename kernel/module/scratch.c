// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Allocates the scratch areas of each CPU before the CPU comes up. */
#include "kernel/module/scratch.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

struct tiercel_scratch **tiercel_scratch;
static int hotplug_state;

/* Runs before the CPU comes up, so no capture runs there yet. A CPU that was up before has its
 * areas. */
static int prepare_cpu(unsigned int cpu)
{
	u32 slot;

	for (slot = cpu * SCRATCH_DEPTH; slot < (cpu + 1) * SCRATCH_DEPTH; slot++) {
		if (!tiercel_scratch[slot])
			tiercel_scratch[slot] =
				vzalloc_node(sizeof(**tiercel_scratch), cpu_to_node(cpu));
		if (!tiercel_scratch[slot])
			return -ENOMEM;
	}
	return 0;
}

/* Old kernels do not call a dynamic state's callback for CPUs that are online already. */
static int prepare_online(void)
{
	unsigned int cpu;
	int error = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) error = error ?: prepare_cpu(cpu);
	cpus_read_unlock();
	return error;
}

int tiercel_scratch_make(void)
{
	int error = -ENOMEM;

	tiercel_scratch = kcalloc(DUMP_SLOT + 1, sizeof(*tiercel_scratch), GFP_KERNEL);
	if (!tiercel_scratch)
		return error;
	tiercel_scratch[DUMP_SLOT] = vzalloc(sizeof(**tiercel_scratch));
	if (tiercel_scratch[DUMP_SLOT])
		error = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "tiercel:prepare",
						  prepare_cpu, NULL);
	if (error > 0) {
		hotplug_state = error;
		error = prepare_online();
	}
	if (error)
		tiercel_scratch_free();
	return error;
}

void tiercel_scratch_free(void)
{
	u32 slot;

	if (hotplug_state > 0)
		cpuhp_remove_state_nocalls(hotplug_state);
	for (slot = 0; slot <= DUMP_SLOT; slot++)
		vfree(tiercel_scratch[slot]);
	kfree(tiercel_scratch);
}
