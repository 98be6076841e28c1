// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Implements /dev/tiercel and the descriptors that it returns (kernel/module/uapi.h). Each
 * descriptor's file counts as a user of its session and of the module.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "kernel/module/session.h"
#include "kernel/module/uapi.h"

/* --- rings ----------------------------------------------------------------------------------- */

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	return tiercel_ring_map(file->private_data, vma);
}

static __poll_t ring_poll(struct file *file, poll_table *wait)
{
	return tiercel_ring_poll(file->private_data, file, wait);
}

static int ring_release(struct inode *inode, struct file *file)
{
	struct tiercel_ring *ring = file->private_data;

	tiercel_session_put(ring->session);
	return 0;
}

static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,
	.mmap = ring_mmap,
	.poll = ring_poll,
	.release = ring_release,
};

/* --- counters, link -------------------------------------------------------------------------- */

static int counters_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct tiercel_session *session = file->private_data;

	return tiercel_area_map(&session->counter_area, vma);
}

static int session_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		tiercel_session_put(file->private_data);
	return 0;
}

static const struct file_operations counters_fops = {
	.owner = THIS_MODULE,
	.mmap = counters_mmap,
	.release = session_release,
};

static int link_release(struct inode *inode, struct file *file)
{
	tiercel_detach(file->private_data);
	return session_release(inode, file);
}

static const struct file_operations link_fops = {
	.owner = THIS_MODULE,
	.release = link_release,
};

/* --- the device ------------------------------------------------------------------------------ */

static struct file *make_file(struct tiercel_session *session, unsigned long kind,
			      unsigned long index)
{
	struct file *file;
	int error;

	switch (kind) {
	case TIERCEL_FD_RING:
		if (index >= session->ring_count)
			return ERR_PTR(-EINVAL);
		return anon_inode_getfile("[tiercel_ring]", &ring_fops, &session->rings[index],
					  O_RDWR);
	case TIERCEL_FD_COUNTERS:
		return anon_inode_getfile("[tiercel_counters]", &counters_fops, session, O_RDONLY);
	case TIERCEL_FD_LINK:
		error = tiercel_attach(session);
		if (error)
			return ERR_PTR(error);
		file = anon_inode_getfile("[tiercel_link]", &link_fops, session, O_RDONLY);
		if (IS_ERR(file))
			tiercel_detach(session);
		return file;
	case TIERCEL_FD_ITER_TASK:
		return tiercel_dump_tasks(session);
	case TIERCEL_FD_ITER_TASK_FILE:
		return tiercel_dump_files(session);
	default:
		return ERR_PTR(-EINVAL);
	}
}

/* The new file is a user of the session until it is released. */
static long make_fd(struct tiercel_session *session, unsigned long which)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	kref_get(&session->users);
	file = make_file(session, which >> 16, which & 0xffff);
	if (IS_ERR(file)) {
		tiercel_session_put(session);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long start(struct file *file, struct tiercel_start __user *argument)
{
	struct tiercel_session *session;
	struct tiercel_start *request;
	long error = -EFAULT;

	request = memdup_user(argument, sizeof(*request));
	if (IS_ERR(request))
		return PTR_ERR(request);
	session = tiercel_session_make(&request->config);
	if (IS_ERR(session)) {
		kfree(request);
		return PTR_ERR(session);
	}
	request->cpus = nr_cpu_ids;
	request->ring_count = session->ring_count;
	if (!copy_to_user(argument, request, sizeof(*request)))
		error = 0;
	kfree(request);
	if (error) {
		tiercel_session_put(session);
		return error;
	}
	if (cmpxchg((struct tiercel_session **)&file->private_data, NULL, session)) {
		tiercel_session_put(session);
		return -EBUSY;
	}
	return 0;
}

static int device_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL; /* misc_open() stored the device here */
	return 0;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	/* pairs with cmpxchg() in start(): a visible session is complete */
	struct tiercel_session *session =
		smp_load_acquire((struct tiercel_session **)&file->private_data);

	switch (command) {
	case TIERCEL_IOC_START:
		return session ? -EBUSY : start(file, (struct tiercel_start __user *)argument);
	case TIERCEL_IOC_FD:
		return session ? make_fd(session, argument) : -ENODEV;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.unlocked_ioctl = device_ioctl,
	.release = session_release,
};

/* The packages' udev rule gives the device to the group tiercel-privd. */
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tiercel",
	.fops = &device_fops,
	.mode = 0660,
};

int tiercel_device_make(void)
{
	return misc_register(&device);
}

void tiercel_device_remove(void)
{
	misc_deregister(&device);
}
