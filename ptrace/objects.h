/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel's objects as far as /proc tells of them: one task with what hangs on it, and some open
 * files. The captures follow their pointers as they would in the kernel; each part is looked up
 * when its first field is read (platform.h, FILLED) and stays so until objects_begin().
 */
#ifndef TIERCEL_PTRACE_OBJECTS_H
#define TIERCEL_PTRACE_OBJECTS_H

#include "ptrace/facts.h"
#include "ptrace/memory.h"

/* The task of one capture, of which nothing is known yet; all objects given before are void. */
struct task_struct* objects_begin(int tid, int compat);

void object_fill_task(const struct task_struct* task);
void object_fill_cgroups(const struct css_set* set);
void object_fill_fs(const struct fs_struct* fs);
void object_fill_nsproxy(const struct nsproxy* proxy);
void object_fill_file(const struct file* file);
static inline void object_fill_nothing(const void* object) {}

/* The task's file behind a descriptor; NULL: none. */
struct file* object_file(int fd);
__u64 object_inode(const void* socket);

/* As reading kernel memory does: 0 or negative; for texts the bytes with the NUL. */
int object_read(void* dst, __u32 size, const void* object);
__s64 object_read_text(char* dst, __u32 size, const char* text);

#endif
