/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The ptrace driver's part of kernel/common/platform.h. What the captures take for kernel memory
 * are objects of this process, which objects.c fills in from /proc when a capture first reads them.
 * User memory is the traced thread's, read by process_vm_readv(2).
 */
#ifndef TIERCEL_PTRACE_PLATFORM_H
#define TIERCEL_PTRACE_PLATFORM_H

#if defined(__aarch64__)
#define __TARGET_ARCH_arm64
#else
#define __TARGET_ARCH_x86
#define TIERCEL_HAS_IA32
#endif
#define __always_inline inline __attribute__((always_inline))

/* No C library header is included, because its types and the kernel's have the same names. */
#include "kernel/bpf_common/kernel_types.h"
#include "kernel/common/abi.h"
#include "ptrace/objects.h"

/* Captures name the probe's one configuration; here it belongs to the session. */
#define tc_config (*tiercel_session_config)
extern const volatile struct tiercel_config tc_config;

#define NOINLINE static __attribute__((noinline))
#define STEP static
#define REPEAT(count, step, context)                                                               \
    do {                                                                                           \
        for (__u32 k_ = 0; k_ < (count); k_++)                                                     \
            if (step(k_, context))                                                                 \
                break;                                                                             \
    } while (0)

/* Fills the object in before its first field is read, if it is of a kind that objects.c knows. */
#define FILLED(object)                                                                             \
    _Generic((object), \
        struct task_struct *: object_fill_task, const struct task_struct *: object_fill_task, \
        struct css_set *: object_fill_cgroups, const struct css_set *: object_fill_cgroups, \
        struct fs_struct *: object_fill_fs, const struct fs_struct *: object_fill_fs, \
        struct nsproxy *: object_fill_nsproxy, const struct nsproxy *: object_fill_nsproxy, \
        struct file *: object_fill_file, const struct file *: object_fill_file, \
        default: object_fill_nothing)(object)

#define READ_1(object, field)                                                                      \
    ({                                                                                             \
        __auto_type object_ = (object);                                                            \
        FILLED(object_);                                                                           \
        object_ ? object_->field : (typeof(object_->field))0;                                      \
    })
#define READ_2(object, a, b) READ_1(READ_1(object, a), b)
#define READ_3(object, a, b, c) READ_1(READ_2(object, a, b), c)
#define READ_4(object, a, b, c, d) READ_1(READ_3(object, a, b, c), d)
#define READ_N(object, a, b, c, d, name, ...) name
#define READ(object, ...)                                                                          \
    READ_N(object, __VA_ARGS__, READ_4, READ_3, READ_2, READ_1)(object, __VA_ARGS__)

#define READ_FIELD_INTO(dst, object, field)                                                        \
    do {                                                                                           \
        __auto_type from_ = (object);                                                              \
        FILLED(from_);                                                                             \
        if (from_)                                                                                 \
            __builtin_memcpy(dst, &from_->field, sizeof(*(dst)));                                  \
    } while (0)
#define READ_INTO_1(dst, object, a) READ_FIELD_INTO(dst, object, a)
#define READ_INTO_2(dst, object, a, b) READ_FIELD_INTO(dst, READ(object, a), b)
#define READ_INTO_N(dst, object, a, b, name, ...) name
#define READ_INTO(dst, object, ...)                                                                \
    READ_INTO_N(dst, object, __VA_ARGS__, READ_INTO_2, READ_INTO_1)(dst, object, __VA_ARGS__)
/* objects_begin() has set the task's own fields that captures read this way. */
#define FIELD(type, object, field)                                                                 \
    ({                                                                                             \
        type* fast_ = (type*)(object); /* NOLINT(bugprone-macro-parentheses): a type */            \
        if (!__builtin_types_compatible_p(type, struct task_struct))                               \
            FILLED(fast_);                                                                         \
        fast_ ? fast_->field : (typeof(fast_->field))0;                                            \
    })

#define REG(regs, field) ((regs)->field)
#define REGISTERS(buffer, regs) (regs)
#define BITFIELD(object, field) ((object)->field)
#define ADDRESS_OF(object, field) (&(object)->field)
#define FIELD_OFFSET(type, field) __builtin_offsetof(type, field)
#define SIZE_OF(type) sizeof(type)
#define config_of(capture) tiercel_session_config
#define ns_since_boot() memory_boot_ns()

/* Of a type's several layouts, objects.c fills in the one without a suffix. */
#define HAS_NO_SUFFIX(text) (__builtin_strstr(text, "___") == 0)
#define bpf_core_field_exists(field) HAS_NO_SUFFIX(#field)
#define bpf_core_field_offset(type, field) __builtin_offsetof(type, field)
#define bpf_core_type_size(type) sizeof(type)
#define bpf_core_enum_value_exists(type, value) 1
#define bpf_core_enum_value(type, value) (value)
#define BPF_CORE_READ_BITFIELD_PROBED(object, field) ((object)->field)
#define __builtin_preserve_access_index(expression) (expression)

/* A socket's inode number identifies it, because /proc does not tell kernel addresses. */
#define IDENTITY_OF(socket) object_inode(socket)

#define read_user(dst, size, address) memory_read(dst, size, (__u64)(address))
#define read_user_text(dst, size, address) memory_read_text(dst, size, (__u64)(address))
#define read_kernel(dst, size, address) object_read(dst, size, (const void*)(address))
#define read_kernel_text(dst, size, address)                                                       \
    object_read_text((char*)(dst), size, (const void*)(address))
#define bpf_ktime_get_boot_ns() memory_boot_ns()

#include "kernel/bpf_common/versions.h"

#endif
