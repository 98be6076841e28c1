/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Open files, as the kernel's objects tell of them: from a descriptor to its struct file, device and inode
 * numbers, the overlay layer. paths.h has their paths.
 */
#ifndef TIERCEL_KERNEL_COMMON_FILES_H
#define TIERCEL_KERNEL_COMMON_FILES_H

#include "kernel/common/capture.h"
#include "kernel/common/convert.h"
#include "kernel/common/paths.h"

#define MODE_TYPE 0170000
#define MODE_DIRECTORY 0040000
#define MODE_SOCKET 0140000

/* The file behind descriptor `fd` of the calling process, or NULL (fs/file.c, files_lookup_fd_raw()). */
static __always_inline struct file *file_of(const struct capture *c, __s32 fd)
{
    struct task_struct *task = c->task;
    struct files_struct *descriptors = FIELD(struct task_struct, task, files);
    struct fdtable *table = FIELD(struct files_struct, descriptors, fdt);
    struct file **files, *file = NULL;

    if (fd < 0 || !table || (__u32)fd >= FIELD(struct fdtable, table, max_fds))
        return NULL;
    files = FIELD(struct fdtable, table, fd);
    read_kernel(&file, sizeof(file), &files[fd]);
    return file;
}

/* The file of the returned descriptor, looked up once for all parameters that need it. */
static __always_inline struct file *returned_file(struct capture *c)
{
    if (!c->file_known) {
        c->file = c->ret < 0 ? NULL : file_of(c, c->ret);
        c->file_known = 1;
    }
    return c->file;
}

/* --- overlay layers ---------------------------------------------------------------------------- */
enum overlay_layer { OVERLAY_NONE, OVERLAY_UPPER, OVERLAY_LOWER };

/*
 * fs/overlayfs/ovl_entry.h: struct ovl_inode embeds the VFS inode, and the pointer to the upper dentry
 * follows it directly. A file that is only in a lower layer has none.
 */
static __always_inline enum overlay_layer overlay_layer(struct file *file)
{
    struct inode *inode = FIELD(struct file, file, f_inode);
    struct super_block *sb = FIELD(struct inode, inode, i_sb);
    struct dentry *upper = NULL;

    if (FIELD(struct super_block, sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
        return OVERLAY_NONE;
    read_kernel(&upper, sizeof(upper), (const char *)inode + SIZE_OF(struct inode));
    return upper && READ(upper, d_inode, i_ino) ? OVERLAY_UPPER : OVERLAY_LOWER;
}

static __always_inline __u32 file_dev(struct file *file)
{
    struct inode *inode = FIELD(struct file, file, f_inode);
    struct super_block *sb = FIELD(struct inode, inode, i_sb);

    return convert_dev(FIELD(struct super_block, sb, s_dev));
}

static __always_inline __u64 file_ino(struct file *file)
{
    struct inode *inode = FIELD(struct file, file, f_inode);

    return FIELD(struct inode, inode, i_ino);
}

/* --- memfds ------------------------------------------------------------------------------------------ */
/* A memfd is the root of a tree of its own whose name starts with "memfd:" (mm/memfd.c). */
static __always_inline int is_memfd(struct file *file)
{
    struct dentry *dentry = READ(file, f_path.dentry);
    char name[8] = {};

    if (READ(dentry, d_parent) != dentry)
        return 0;
    read_kernel_text(name, 7, READ(dentry, d_name.name));
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' &&
           name[5] == ':';
}

#endif
