/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel structures that the BPF probes read, with only the fields that they read. The offsets here have
 * no meaning: CO-RE relocates every access at load against the running kernel's BTF, so one list serves all
 * kernels. A type with ___ and a suffix is the same kernel type in another kernel version.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_KERNEL_TYPES_H
#define TIERCEL_KERNEL_BPF_COMMON_KERNEL_TYPES_H

#define TIERCEL_HAS_KERNEL_TYPES /* for kernel/common/abi.h */

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* Map types, from include/uapi/linux/bpf.h. */
enum {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PROG_ARRAY = 3,
    BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
    BPF_MAP_TYPE_RINGBUF = 27
};
enum { BPF_F_NO_PREALLOC = 1 << 0, BPF_F_RDONLY = 1 << 3, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

/* Constants, by the header that has them. */
#define S_IMMUTABLE 8 /* linux/fs.h */
#define SB_RDONLY 1
#define FMODE_CREATED 0x100000
#define PF_EXITING 0x4 /* linux/sched.h */
#define PF_KTHREAD 0x00200000
#define CAP_DAC_OVERRIDE 1 /* uapi/linux/capability.h */
#define CAP_FOWNER 3
#define UNIX_PATH_MAX 108                /* uapi/linux/un.h */
#define OVERLAYFS_SUPER_MAGIC 0x794c7630 /* uapi/linux/magic.h */
#define PIPEFS_MAGIC 0x50495045
#define ANON_INODE_FS_MAGIC 0x09041934
#define PID_FS_MAGIC 0x50494446
#define NSFS_MAGIC 0x6e736673
#define TS_COMPAT 2                                              /* asm/thread_info.h of x86 */
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES }; /* linux/mm_types_task.h */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
    __u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
    struct {
        __u64 regs[31], sp, pc, pstate;
    };
    __u64 orig_x0;
    __s32 syscallno;
};
#else
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
    unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#endif

/* Helpers that some kernels lack. The suffix avoids a clash with libbpf's names. */
enum bpf_func_id {
    BPF_FUNC_get_current_task_btf___t = 158, /* 5.11 */
    BPF_FUNC_task_pt_regs___t = 175,         /* 5.15 */
    BPF_FUNC_loop___t = 181,                 /* 5.17 */
};

struct list_head {
    struct list_head *next, *prev;
};
typedef struct {
    int counter;
} atomic_t;
typedef struct {
    __s64 counter;
} atomic64_t;
typedef struct {
    __s64 counter;
} atomic_long_t;
typedef struct {
    __u32 val;
} kuid_t;
typedef struct {
    __u32 val;
} kgid_t;
typedef long long time64_t;
struct timespec64 {
    time64_t tv_sec;
    long tv_nsec;
};

/* --- files ---------------------------------------------------------------------------------- */
struct qstr {
    __u32 len;
    const unsigned char *name;
};
struct super_block {
    __u32 s_dev;
    unsigned long s_flags, s_magic;
};
struct inode {
    unsigned short i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    unsigned int i_flags;
    struct super_block *i_sb;
    unsigned long i_ino;
    void *i_private;
    struct timespec64 i_mtime, i_ctime; /* until 6.6 */
};
struct inode___renamed {
    struct timespec64 __i_mtime, __i_ctime;
}; /* 6.6 to 6.10 */
struct inode___split {
    time64_t i_mtime_sec, i_ctime_sec;
    __u32 i_mtime_nsec, i_ctime_nsec;
}; /* from 6.11 */
struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};
struct vfsmount {
    struct dentry *mnt_root;
};
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    int mnt_id;
};
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};
struct file {
    unsigned int f_mode;
    void *private_data;
    struct inode *f_inode;
    unsigned int f_flags;
    struct path f_path;
};
struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};
struct files_struct {
    struct fdtable *fdt;
};
struct fs_struct {
    struct path root, pwd;
};

/* --- processes ------------------------------------------------------------------------------ */
struct kernel_cap_struct {
    __u32 cap[2];
}; /* until 6.2 */
typedef struct kernel_cap_struct kernel_cap_t;
struct kernel_cap_struct___merged {
    __u64 val;
}; /* from 6.3 */
struct group_info {
    int ngroups;
    kgid_t gid[0];
};
struct proc_ns_operations {
    const char *name;
};
struct ns_common {
    const struct proc_ns_operations *ops;
    unsigned int inum;
};
struct user_namespace {
    struct ns_common ns;
};
struct cred {
    kuid_t uid, euid, fsuid;
    kgid_t egid, fsgid;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
    struct user_namespace *user_ns;
    struct group_info *group_info;
};
struct mm_rss_stat {
    atomic_long_t count[4];
};
struct mm_struct {
    unsigned long total_vm, arg_start, arg_end, env_start, env_end;
    struct mm_rss_stat rss_stat; /* until 6.1 */
    struct file *exe_file;
};
struct percpu_counter {
    __s64 count;
};
struct mm_struct___percpu {
    struct percpu_counter rss_stat[4];
}; /* from 6.2 */
struct pid_namespace {
    struct task_struct *child_reaper;
    unsigned int level;
    struct ns_common ns;
};
struct upid {
    int nr;
    struct pid_namespace *ns;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
struct rlimit {
    unsigned long rlim_cur, rlim_max;
};
struct tty_driver {
    int major, minor_start;
};
struct tty_struct {
    struct tty_driver *driver;
    int index;
};
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };
struct signal_struct {
    atomic_t live;
    struct list_head thread_head;
    struct pid *pids[4];
    struct tty_struct *tty;
    struct rlimit rlim[16];
    unsigned int is_child_subreaper : 1;
    unsigned int has_child_subreaper : 1;
};
struct cgroup_namespace {
    struct ns_common ns;
};
struct ipc_namespace {
    struct ns_common ns;
};
struct mnt_namespace {
    struct ns_common ns;
};
struct net {
    struct ns_common ns;
};
struct time_namespace {
    struct ns_common ns;
};
struct uts_namespace {
    struct ns_common ns;
};
struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
    struct net *net_ns;
    struct time_namespace *time_ns; /* from 5.6 */
    struct cgroup_namespace *cgroup_ns;
};
struct thread_info {
    unsigned long flags;
    __u32 status;
};
struct task_struct {
    struct thread_info thread_info;
    void *stack;
    unsigned int flags;
    int exit_code;
    int pid, tgid;
    struct task_struct *real_parent, *group_leader;
    struct list_head children, sibling, thread_node;
    struct pid *thread_pid;
    unsigned long maj_flt, min_flt;
    __u64 start_time, start_boottime;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct mm_struct *mm;
    struct css_set *cgroups;
    kuid_t loginuid;
};
struct task_struct___renamed {
    __u64 real_start_time;
}; /* until 5.4, and in RHEL 8 */
struct linux_binprm {
    const char *filename;
};
struct kernel_siginfo {
    struct {
        int si_signo;
        int si_errno;
        int si_code;
        union {
            struct {
                int _pid;
            } _kill;
            struct {
                int _pid;
            } _rt;
            struct {
                int _pid;
            } _sigchld;
        } _sifields;
    };
};

/* --- control groups ------------------------------------------------------------------------- */
enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id };
struct kernfs_node {
    const char *name;
    struct kernfs_node *parent;
};
struct kernfs_node___renamed {
    struct kernfs_node *__parent;
}; /* from 6.15 */
struct cgroup {
    struct kernfs_node *kn;
};
struct cgroup_subsys_state {
    struct cgroup *cgroup;
};
struct css_set {
    struct cgroup_subsys_state *subsys[14];
    struct cgroup *dfl_cgrp;
};

/* --- sockets -------------------------------------------------------------------------------- */
struct in6_addr {
    union {
        __u8 u6_addr8[16];
    } in6_u;
};
struct sock_common {
    __be32 skc_daddr, skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
    struct sock_common __sk_common;
    __u32 sk_ack_backlog, sk_max_ack_backlog;
    __u16 sk_type, sk_protocol; /* bit fields until 5.5: BITFIELD() */
};
struct ipv6_pinfo {
    struct in6_addr saddr;
};
struct inet_sock {
    struct sock sk;
    struct ipv6_pinfo *pinet6;
    __be32 inet_saddr;
    __be16 inet_sport;
};
struct sockaddr_un {
    unsigned short sun_family;
    char sun_path[108];
};
struct unix_address {
    int len;
    struct sockaddr_un name[0];
};
struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct path path;
    struct sock *peer;
};
struct socket {
    struct sock *sk;
};

/* --- iterators ------------------------------------------------------------------------------ */
struct seq_file;
struct bpf_iter_meta {
    struct seq_file *seq;
};
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};
struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    __u32 fd;
    struct file *file;
};

#pragma clang attribute pop
#endif
