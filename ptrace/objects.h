/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel's objects as far as /proc describes them: one task with all that it points to, and
 * some open files. The captures follow their pointers as they would in the kernel. Each object is
 * filled in when its first field is read (platform.h, FILLED), and keeps its values until
 * objects_begin().
 */
#ifndef TIERCEL_PTRACE_OBJECTS_H
#define TIERCEL_PTRACE_OBJECTS_H

#include "ptrace/facts.h"
#include "ptrace/memory.h"

/* Begins a capture and returns its task, not filled in yet. All earlier objects become invalid. */
struct task_struct* objects_begin(int tid, int compat);

void object_fill_task(const struct task_struct* task);
void object_fill_cgroups(const struct css_set* set);
void object_fill_fs(const struct fs_struct* fs);
void object_fill_nsproxy(const struct nsproxy* proxy);
void object_fill_file(const struct file* file);
static inline void object_fill_nothing(const void* object) {}

/* The file behind a descriptor of the task; NULL: none. */
struct file* object_file(int fd);
__u64 object_inode(const void* socket);

/* As reads of kernel memory: return 0 or negative; for texts the bytes with the NUL. */
int object_read(void* dst, __u32 size, const void* object);
__s64 object_read_text(char* dst, __u32 size, const char* text);

#endif
