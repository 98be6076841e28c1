/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What captures need from the platform that they run on: a BPF probe, the kernel module or the ptrace driver.
 * Each build names its platform's header: -DTIERCEL_PLATFORM="\"kernel/bpf_modern/platform.h\"". Nothing
 * else in this folder knows which platform it is built for. The header defines
 *
 *   the kernel's types                  __u64 and its like, struct task_struct and the other structures
 *   __TARGET_ARCH_arm64                 on arm64
 *   TIERCEL_HAS_IA32                    on machines whose kernel also runs i386 programs
 *   READ(object, field, ...)            a field reached through kernel pointers; 0 if it is unreadable
 *   READ_INTO(&dst, object, field, ...) the same for a structure or an array
 *   FIELD(type, object, field)          one field of an object of known type, by the fastest way there is
 *   BITFIELD(object, field)             one bit field of an object
 *   ADDRESS_OF(object, field)           the field's address; nothing is read
 *   FIELD_OFFSET(type, field)           as this kernel lays the type out
 *   SIZE_OF(type)                       as this kernel lays the type out
 *   IDENTITY_OF(socket)                 a number that tells sockets apart: the address, where it is known
 *   read_user(dst, size, address)       copies from the calling process; returns 0 or a negative error
 *   read_user_text(dst, size, address)  copies a text; returns its bytes with the NUL, or negative
 *   read_kernel(), read_kernel_text()   the same from kernel memory
 *   this_task(), current_ids()          the calling thread; its process and thread id: tgid << 32 | tid
 *   entry_registers(&regs, task)        the registers with which the calling thread entered the kernel
 *   ns_since_boot()                     CLOCK_BOOTTIME
 *   config_of(capture)                  the struct tiercel_config that the capture is made under
 *   REG(regs, field)                    one register, where a tracepoint says that the registers are
 *   REGISTERS(buffer, regs)             all registers for plain loads: in place, or a copy in `buffer`
 *   REPEAT(count, step, context)        a bounded loop; STEP introduces the function that is its body
 *   NOINLINE                            introduces a function that is better checked or built once
 *
 * and, because kernel versions differ there: inode_time(), mm_pages(), node_parent(), login_uid(),
 * start_time(), mount_namespace(), time_namespace() and CONTROLLER().
 */
#ifndef TIERCEL_KERNEL_COMMON_PLATFORM_H
#define TIERCEL_KERNEL_COMMON_PLATFORM_H

#include TIERCEL_PLATFORM

#endif
