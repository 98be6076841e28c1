/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The FILE captures: the file behind a descriptor that the syscall returned or took, and where paths start.
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_FILE_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_FILE_H

#include "kernel/common/files.h"
#include "kernel/common/user_memory.h"

static __always_inline __u32 file_layer_flags(struct capture *c, __u32 upper, __u32 lower)
{
    struct file *file = returned_file(c);
    enum overlay_layer layer;

    if (!file)
        return 0;
    layer = overlay_layer(file);
    return layer == OVERLAY_UPPER ? upper : layer == OVERLAY_LOWER ? lower : 0;
}

static __always_inline __u32 opened_flags(struct capture *c, __u64 flags)
{
    struct file *file = returned_file(c);
    __u32 out = convert_open_flags(flags);

    if (!file)
        return out;
    if (FIELD(struct file, file, f_mode) & FMODE_CREATED)
        out |= 16384;
    return out | file_layer_flags(c, 32768, 65536);
}

#define WORKING_DIRECTORY (-100) /* AT_FDCWD, include/uapi/linux/fcntl.h */

static __always_inline char first_letter(const struct capture *c, __u32 n)
{
    char letter = 0;

    read_argument(c, n, 0, &letter, sizeof(letter));
    return letter;
}

/* Puts the directory at which the lookup of the path in argument `n` starts (fs/namei.c, path_init()). */
static __always_inline int put_start(struct capture *c, __u32 i, __s32 dirfd, __u32 n)
{
    struct task_struct *task = c->task;
    struct file *file;

    if (!wants_paths(c))
        return no_value(c, i);
    if (first_letter(c, n) == '/')
        return put_real_path(c, i, READ(task, fs, root.mnt), READ(task, fs, root.dentry));
    if (dirfd == WORKING_DIRECTORY)
        return put_real_path(c, i, READ(task, fs, pwd.mnt), READ(task, fs, pwd.dentry));
    file = file_of(c, dirfd);
    return put_real_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry));
}

static __always_inline int capture_file(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct file *file;

    switch (p.capture) {
    case CAPTURE_open_flags: return put_number(c, i, opened_flags(c, argument(c, p.arg[0])), p.width);
    case CAPTURE_creat_flags: return put_number(c, i, file_layer_flags(c, 1, 2), p.width);
    case CAPTURE_ret_dev:
        file = returned_file(c);
        return put_number(c, i, file ? file_dev(file) : 0, p.width);
    case CAPTURE_ret_ino:
        file = returned_file(c);
        return put_number(c, i, file ? file_ino(file) : 0, p.width);
    case CAPTURE_ret_path:
        file = returned_file(c);
        if (!file)
            return no_value(c, i);
        return put_visible_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry));
    case CAPTURE_ret_real_path:
        file = wants_paths(c) ? returned_file(c) : NULL;
        if (!file)
            return no_value(c, i);
        return put_real_path(c, i, FIELD(struct file, file, f_path.mnt),
                             FIELD(struct file, file, f_path.dentry));
    case CAPTURE_ret_origin_path:
        return wants_paths(c) && returned_file(c) ? put_origin_path(c, i) : no_value(c, i);
    case CAPTURE_fd_real_path:
        file = wants_paths(c) ? file_of(c, signed_argument(c, p.arg[0])) : NULL;
        if (!file)
            return no_value(c, i);
        return put_real_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry));
    case CAPTURE_start_path: return put_start(c, i, WORKING_DIRECTORY, p.arg[0]);
    case CAPTURE_start_path_at: return put_start(c, i, signed_argument(c, p.arg[0]), p.arg[1]);
    case CAPTURE_user_fd_ino:
        file = c->ret < 0 ? NULL : file_of(c, user_u32(argument(c, p.arg[0])));
        return put_number(c, i, file ? file_ino(file) : 0, p.width);
    default: return no_value(c, i);
    }
}

#endif
