/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What captures need from the place they run in. Each platform supplies these names, and nothing else in
 * this folder knows which one it is built for:
 *
 *   READ(object, field, ...)            a field reached through kernel pointers; 0 when unreadable
 *   READ_INTO(&dst, object, field, ...) the same for what is no scalar
 *   FIELD(type, object, field)          one field of an object of known type, the fastest way there is
 *   BITFIELD(object, field)             one bit field of an object
 *   ADDRESS_OF(object, field)           where the field is; nothing is read
 *   FIELD_OFFSET(type, field), SIZE_OF(type)  as this kernel lays the type out
 *   read_user(dst, size, address)       copy from the calling process; 0 or a negative error
 *   read_user_text(dst, size, address)  copy a NUL-terminated text; bytes with the NUL, or negative
 *   read_kernel(...), read_kernel_text(...)  the same from kernel memory
 *   read_task_memory(dst, size, address, task)  the same from another process's memory; may sleep
 *   this_task(), current_ids()       the calling thread; its process and thread id: tgid << 32 | tid
 *   entry_registers(&regs, task)        the registers with which the calling thread entered the kernel
 *   ns_since_boot()                     CLOCK_BOOTTIME
 *   config_of(capture)                  the struct tiercel_config that the capture is made under
 *   REG(regs, field)                    one register, where a tracepoint says that they are
 *   REGISTERS(buffer, regs)             all of them, where plain loads reach: there, or a copy in `buffer`
 *   REPEAT(count, step, context)        a bounded loop; STEP introduces the function that is its body
 *   NOINLINE                            for functions that are better checked or built once
 *
 * and, because kernel versions differ there: inode_time(), mm_pages(), node_parent(), login_uid() and
 * CONTROLLER().
 */
#ifndef TIERCEL_KERNEL_COMMON_PLATFORM_H
#define TIERCEL_KERNEL_COMMON_PLATFORM_H

#ifdef TIERCEL_BPF
#include "kernel/common/platform_bpf.h"
#else
#include "kernel/module/platform.h"
#endif

#endif
