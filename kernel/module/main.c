// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Loading and unloading. Nothing is captured until a session is attached through /dev/tiercel. */
#include <linux/module.h>

#include "kernel/module/scratch.h"

static int __init tiercel_init(void)
{
	int error = tiercel_find_tracepoints();

	if (!error)
		error = tiercel_check_mounts();
	if (!error)
		error = tiercel_scratch_make();
	if (error)
		return error;
	error = tiercel_device_make();
	if (error)
		tiercel_scratch_free();
	return error;
}

/* Every descriptor and mapping holds the module, so no session and no probe is left here. */
static void __exit tiercel_exit(void)
{
	tiercel_device_remove();
	tiercel_scratch_free();
}

module_init(tiercel_init);
module_exit(tiercel_exit);
MODULE_DESCRIPTION("Tiercel: runtime security events by tracepoints");
MODULE_AUTHOR("Tiercel maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
