// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Checks that compat/mount.h describes this kernel's struct mount. The module does not load if it
 * does not, because paths would be wrong.
 */
#include <linux/fs_struct.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "kernel/module/compat/mount.h"
#include "kernel/module/session.h"

#define DEEPEST 64

/* Walks up from this process's root: each mount point is a directory of the parent's file system.
 */
int tiercel_check_mounts(void)
{
	struct path root;
	struct mount *mount;
	int error = -ENOEXEC, depth;

	get_fs_root(current->fs, &root);
	mount = container_of(root.mnt, struct mount, mnt);
	for (depth = 0; depth < DEEPEST; depth++) {
		struct mount *up = mount->mnt_parent;

		if (up == mount)
			error = 0;
		if (up == mount || !virt_addr_valid(up) ||
		    !virt_addr_valid(mount->mnt_mountpoint) ||
		    mount->mnt_mountpoint->d_sb != up->mnt.mnt_sb)
			break;
		mount = up;
	}
	path_put(&root);
	if (error)
		pr_err("this kernel's struct mount is not the one that the module was built for\n");
	return error;
}
