/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Open files, as the kernel's objects tell of them: from a descriptor to its struct file, a path from a
 * dentry, device and inode numbers, the overlay layer.
 */
#ifndef TIERCEL_KERNEL_COMMON_FILES_H
#define TIERCEL_KERNEL_COMMON_FILES_H

#include "kernel/common/capture.h"
#include "kernel/common/convert.h"

#define MODE_TYPE 0170000
#define MODE_SOCKET 0140000
#define PATH_COMPONENTS 48 /* deeper paths lose their first components */

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

/* --- paths ----------------------------------------------------------------------------------------- */

/* Paths are built backwards in tmp from here; c->cursor is the first byte. One component fits behind it. */
#define WALK_END 4096

struct walk {
    struct dentry *dentry, *mount_root;
    struct mount *mount;
    __u32 slot;
};

/* Puts one component in front of the path in tmp. Returns 0 if there is none, or no room for it. */
static __always_inline int walk_component(struct capture *c, struct walk *w)
{
    struct dentry *dentry = w->dentry, *parent = READ(dentry, d_parent);
    __u32 len, at;

    if (parent == dentry || !parent)
        return 0;
    len = READ(dentry, d_name.len) & 0xff;
    at = opaque(c->cursor - len - 1);
    if (at > WALK_END) /* below the start wraps around to above the end */
        return 0;
    read_kernel(&c->tmp[at + 1], len, READ(dentry, d_name.name));
    c->tmp[at] = '/';
    c->cursor = at;
    w->dentry = parent;
    return 1;
}

/* Goes up to the parent mount or puts one component in front. Returns 1 at the top. */
STEP int walk_step(__u32 k, void *context)
{
    struct walk *w = context;
    struct capture *c = capture_at(w->slot);
    struct mount *mount = w->mount, *up;

    if (!c)
        return 1;
    if (w->dentry == c->path.root && ADDRESS_OF(mount, mnt) == c->path.root_mnt)
        return 1;
    if (w->dentry != w->mount_root)
        return !walk_component(c, w);
    up = READ(mount, mnt_parent);
    if (up == mount || !up)
        return 1;
    w->dentry = READ(mount, mnt_mountpoint);
    w->mount = up;
    w->mount_root = READ(up, mnt.mnt_root);
    return 0;
}

static __always_inline int put_walked(struct capture *c, __u32 i)
{
    __u32 at = opaque(c->cursor);
    __s64 n;

    if (at >= WALK_END) {
        at = WALK_END - 1;
        c->tmp[at] = '/';
    }
    c->tmp[WALK_END] = 0;
    n = read_kernel_text(&c->buf[value_start(c)], TEXT_MAX, &c->tmp[at]);
    return end_value(c, i, n > 0 ? n : 0);
}

/*
 * Puts c->path as parameter `i`, as fs/d_path.c, prepend_path() makes it: from c->path.root if it is set,
 * else from the top of the mount tree. A file outside any directory (a memfd) gives its bare name.
 */
NOINLINE int put_walked_path(__u32 slot, __u32 i)
{
    struct capture *c = capture_at(slot);
    struct vfsmount *mnt;
    struct dentry *dentry;
    struct walk w;

    if (!c)
        return 0;
    mnt = c->path.mnt;
    dentry = c->path.dentry;
    if (READ(dentry, d_parent) == dentry && READ(dentry, d_name.len) > 1) {
        __s64 n = read_kernel_text(&c->buf[value_start(c)], TEXT_MAX, READ(dentry, d_name.name));

        return end_value(c, i, n > 0 ? n : 0);
    }
    w.dentry = dentry;
    w.mount = (struct mount *)((char *)mnt - FIELD_OFFSET(struct mount, mnt));
    w.mount_root = READ(mnt, mnt_root);
    c->cursor = WALK_END;
    w.slot = slot;
    REPEAT(PATH_COMPONENTS, walk_step, &w);
    return put_walked(c, i);
}

static __always_inline int put_path(struct capture *c, __u32 i, struct vfsmount *mnt, struct dentry *dentry,
                                    struct vfsmount *root_mnt, struct dentry *root)
{
    if (!mnt || !dentry)
        return no_value(c, i);
    c->path.mnt = mnt;
    c->path.dentry = dentry;
    c->path.root_mnt = root_mnt;
    c->path.root = root;
    return put_walked_path(c->slot, i);
}

/* Puts the path as the process sees it, from its own root directory. */
static __always_inline int put_visible_path(struct capture *c, __u32 i, struct vfsmount *mnt,
                                            struct dentry *dentry)
{
    struct task_struct *task = c->task;

    return put_path(c, i, mnt, dentry, READ(task, fs, root.mnt), READ(task, fs, root.dentry));
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
