/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The TASK and TASK_TEXT captures: the state of one thread, c->task. For syscalls and exec it is current; for
 * a new child and for iterators it is another one.
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_TASK_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_TASK_H

#include "kernel/common/cgroups.h"
#include "kernel/common/executable.h"
#include "kernel/common/user_memory.h"

#define PAGE_KIB 4

/* --- ids ----------------------------------------------------------------------------------------- */
/* The number in its own pid namespace, the innermost level, and that namespace (kernel/pid.c, pid_vnr()). */
static __always_inline struct upid innermost(struct pid *pid)
{
    struct upid id = {};

    read_kernel(&id, sizeof(id),
                (const char *)pid + FIELD_OFFSET(struct pid, numbers) + READ(pid, level) * sizeof(id));
    return id;
}

static __always_inline __s32 id_in_namespace(struct pid *pid)
{
    return innermost(pid).nr;
}

static __always_inline __s32 global_id(struct pid *pid)
{
    return READ(pid, numbers[0].nr);
}

/* Start of the init of the thread's pid namespace, ns since boot. */
static __always_inline __u64 pidns_start(struct task_struct *task)
{
    struct upid id = innermost(pid_of(task, PIDTYPE_PID));

    return READ(id.ns, child_reaper, start_time);
}

/* --- namespaces ------------------------------------------------------------------------------------ */
static __always_inline int put_namespaces(struct capture *c, __u32 i)
{
    struct task_struct *task = c->task;
    struct nsproxy *proxy = READ(task, nsproxy);
    struct upid id = innermost(pid_of(task, PIDTYPE_PID));
    __u32 at = value_start(c), start = at;

    put_u32(c, &at, READ(proxy, cgroup_ns, ns.inum));
    put_u32(c, &at, READ(proxy, ipc_ns, ns.inum));
    put_u32(c, &at, mount_namespace(proxy));
    put_u32(c, &at, READ(proxy, net_ns, ns.inum));
    put_u32(c, &at, READ(id.ns, ns.inum));
    put_u32(c, &at, time_namespace(proxy));
    put_u32(c, &at, READ(task, cred, user_ns, ns.inum));
    put_u32(c, &at, READ(proxy, uts_ns, ns.inum));
    return end_value(c, i, at - start);
}

/* --- memory ---------------------------------------------------------------------------------------- */
static __always_inline __u64 memory_kib(struct task_struct *task, __u8 capture)
{
    struct mm_struct *mm = READ(task, mm);

    if (!mm)
        return 0;
    switch (capture) {
    case CAPTURE_vm_size: return READ(mm, total_vm) * PAGE_KIB;
    case CAPTURE_vm_swap: return mm_pages(mm, MM_SWAPENTS) * PAGE_KIB;
    default:
        return (mm_pages(mm, MM_FILEPAGES) + mm_pages(mm, MM_ANONPAGES) + mm_pages(mm, MM_SHMEMPAGES)) *
               PAGE_KIB;
    }
}

/* --- the controlling terminal ------------------------------------------------------------------------- */
static __always_inline __u32 terminal(struct task_struct *task)
{
    struct tty_struct *tty = READ(task, signal, tty);
    __u32 major, minor;

    if (!tty)
        return 0;
    major = READ(tty, driver, major);
    minor = READ(tty, driver, minor_start) + READ(tty, index);
    return convert_dev(major << 20 | minor);
}

/* --- clone ---------------------------------------------------------------------------------------- */
/* The flags of the call: clone's argument, the first field of clone3's structure, constants for the others.
 */
static __always_inline __u32 clone_flags(struct capture *c)
{
    struct task_struct *task = c->task;
    struct pid *pid = pid_of(task, PIDTYPE_PID);
    __u64 flags = 0;
    __u32 out;

    if (c->index == INDEX_SYSCALL_CLONE_20_X)
        flags = argument(c, 0);
    else if (c->index == INDEX_SYSCALL_CLONE3_X)
        flags = user_u64(argument(c, 0));
    else if (c->index == INDEX_SYSCALL_VFORK_20_X)
        flags = 0x00004100; /* CLONE_VFORK | CLONE_VM: kernel/fork.c, vfork */
    out = convert_clone_flags(flags);
    if (READ(pid, level))
        return out | SCAP_CLONE_CHILD_IN_PIDNS;
    if (c->ret > 0 && READ(task, nsproxy, pid_ns_for_children, level))
        out |= SCAP_CLONE_CHILD_IN_PIDNS;
    return out;
}

/* --- captures ------------------------------------------------------------------------------------- */
static __always_inline __u64 task_number(struct capture *c, __u8 capture)
{
    struct task_struct *task = c->task;

    switch (capture) {
    case CAPTURE_clone_res: return c->ret;
    case CAPTURE_clone_flags: return clone_flags(c);
    case CAPTURE_tid: return READ(task, pid);
    case CAPTURE_pid: return READ(task, tgid);
    case CAPTURE_ptid: return READ(task, real_parent, pid);
    case CAPTURE_parent_pid: return READ(task, real_parent, tgid);
    case CAPTURE_fdlimit: return READ(task, signal, rlim[7].rlim_cur);
    case CAPTURE_pgft_maj: return READ(task, maj_flt);
    case CAPTURE_pgft_min: return READ(task, min_flt);
    case CAPTURE_vm_size:
    case CAPTURE_vm_rss:
    case CAPTURE_vm_swap: return memory_kib(task, capture);
    case CAPTURE_tty: return terminal(task);
    case CAPTURE_pgid: return global_id(pid_of(task, PIDTYPE_PGID));
    case CAPTURE_vpgid: return id_in_namespace(pid_of(task, PIDTYPE_PGID));
    case CAPTURE_sid: return global_id(pid_of(task, PIDTYPE_SID));
    case CAPTURE_vtid: return id_in_namespace(pid_of(task, PIDTYPE_PID));
    case CAPTURE_vpid: return id_in_namespace(pid_of(task, PIDTYPE_TGID));
    case CAPTURE_pidns_start: return c->ret ? 0 : pidns_start(task); /* only children have it */
    case CAPTURE_start_time: return config_of(c)->boot_time_ns + start_time(task);
    case CAPTURE_loginuid: return login_uid(task);
    case CAPTURE_ruid: return READ(task, cred, uid.val);
    case CAPTURE_euid: return READ(task, cred, euid.val);
    case CAPTURE_egid: return READ(task, cred, egid.val);
    case CAPTURE_cap_inheritable:
    case CAPTURE_cap_permitted:
    case CAPTURE_cap_effective: return capability_set(task, capture);
    case CAPTURE_exe_flags: return exe_flags(task);
    case CAPTURE_exe_ino: return READ(task, mm, exe_file, f_inode, i_ino);
    case CAPTURE_exe_ctime: return inode_time(READ(task, mm, exe_file, f_inode), 1);
    case CAPTURE_exe_mtime: return inode_time(READ(task, mm, exe_file, f_inode), 0);
    default: return 0;
    }
}

/* The TASK_TEXT captures. */
static __always_inline int capture_task_text(struct capture *c, __u32 i, struct tiercel_param p)
{
    struct task_struct *task = c->task;
    struct file *file;

    switch (p.capture) {
    case CAPTURE_comm: return put_kernel_text(c, i, ADDRESS_OF(task, comm), 16);
    case CAPTURE_cgroups: return put_cgroups(c, i);
    case CAPTURE_namespaces: return put_namespaces(c, i);
    case CAPTURE_cwd: return put_visible_path(c, i, READ(task, fs, pwd.mnt), READ(task, fs, pwd.dentry));
    case CAPTURE_root:
        return put_path(c, i, READ(task, fs, root.mnt), READ(task, fs, root.dentry), NULL, NULL);
    case CAPTURE_exe_path:
        file = READ(task, mm, exe_file);
        if (!file)
            return no_value(c, i);
        return put_path(c, i, READ(file, f_path.mnt), READ(file, f_path.dentry), NULL, NULL);
    default: return no_value(c, i);
    }
}

#endif
