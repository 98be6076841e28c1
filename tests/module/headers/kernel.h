/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel's headers, as far as kernel/module/compat needs them, for compat_test.sh. WITH_<feature>
 * of kernel/module/compat/features.c chooses the newer form of one thing.
 */
#pragma once

#ifdef UNREADABLE
#include <linux/a-header-that-is-missing.h>
#endif

typedef _Bool bool;
typedef unsigned char u8;
typedef unsigned int u32, __u32, gfp_t, fmode_t;
typedef unsigned long long u64;
typedef long long s64, loff_t;
typedef unsigned long size_t;
typedef long time64_t;
typedef struct {
    int counter;
} atomic_t;
typedef struct {
    s64 counter;
} atomic_long_t;

#define NULL ((void*)0)
#define GFP_KERNEL 0U
#define __GFP_ZERO 1U
#define __force
#define __user
#define __maybe_unused __attribute__((unused))
#define PID_MAX_LIMIT 32768
#define CONFIG_SMP 1
#define CONFIG_AUDIT 1
#define CONFIG_FSNOTIFY 1
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#ifndef LINUX_VERSION_CODE
#define LINUX_VERSION_CODE KERNEL_VERSION(5, 10, 0)
#endif

struct list_head {
    struct list_head *next, *prev;
};
struct hlist_head {
    void* first;
};
struct hlist_node {
    void *next, **pprev;
};
struct rb_node {
    void *parent, *right, *left;
};
struct rcu_head {
    void *next, *func;
};
struct timespec64 {
    time64_t tv_sec;
    long tv_nsec;
};
struct super_block;
struct dentry;
struct file {
    fmode_t f_mode;
};
struct vfsmount {
    struct dentry* mnt_root;
};

#ifdef WITH_fmode_created
#define FMODE_CREATED 0x100000U
#endif

/* --- processes --- */
struct pid {
    int level;
};
#ifdef WITH_signal_pids
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };
#else
enum pid_type { PIDTYPE_PID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };
struct pid_link {
    struct pid* pid;
};
#endif

struct signal_struct {
#ifdef WITH_signal_pids
    struct pid* pids[PIDTYPE_MAX];
#endif
    int flags;
};

struct task_struct {
    int pid;
    struct task_struct* group_leader;
    struct signal_struct* signal;
    struct {
        u32 val;
    } loginuid;
#ifdef WITH_signal_pids
    struct pid* thread_pid;
#else
    struct pid_link pids[PIDTYPE_MAX];
#endif
#ifdef WITH_start_boottime
    u64 start_boottime;
#else
    u64 real_start_time;
#endif
};

struct idr {
    int any;
};
struct pid_namespace {
#ifdef WITH_idr_of_pids
    struct idr idr;
#endif
    int any;
};
extern struct pid_namespace init_pid_ns;
void* idr_get_next(struct idr* idr, int* id);
struct pid* find_pid_ns(int number, struct pid_namespace* ns);

/* --- memory --- */
struct percpu_counter {
    s64 count;
};
struct mm_struct {
#ifdef WITH_rss_stat_array
    struct percpu_counter rss_stat[4];
#else
    struct {
        atomic_long_t count[4];
    } rss_stat;
#endif
};
struct vm_area_struct {
    unsigned long vm_flags;
};
struct vm_fault;
#ifdef WITH_vm_flags_mod
void vm_flags_mod(struct vm_area_struct* vma, unsigned long set, unsigned long clear);
#endif
#ifdef WITH_vm_fault_t
typedef unsigned int vm_fault_t;
#endif
#ifdef WITH_kvcalloc
void* kvcalloc(size_t count, size_t size, gfp_t flags);
#else
void* kvmalloc_array(size_t count, size_t size, gfp_t flags);
#endif
#ifdef WITH_copy_from_kernel_nofault
long copy_from_kernel_nofault(void* to, const void* from, size_t size);
#else
long probe_kernel_read(void* to, const void* from, size_t size);
#endif
#ifdef WITH_access_ok_of_two
#define access_ok(from, size) ((from) != NULL && (size) != 0)
#else
#define VERIFY_READ 0
#define access_ok(type, from, size) ((type) == VERIFY_READ && (from) != NULL && (size) != 0)
#endif

/* --- files and namespaces --- */
#ifdef WITH_poll_t
typedef unsigned int __poll_t;
#endif
#define EPOLLIN 1U
struct inode {
#ifdef WITH_inode_ctime_sec
    time64_t i_ctime_sec, i_mtime_sec;
    u32 i_ctime_nsec, i_mtime_nsec;
#endif
#ifdef WITH_inode_hidden_ctime
    struct timespec64 __i_ctime;
#else
    struct timespec64 i_ctime;
#endif
#ifdef WITH_inode_hidden_mtime
    struct timespec64 __i_mtime;
#else
    struct timespec64 i_mtime;
#endif
};
struct kernfs_node {
#ifdef WITH_kernfs_hidden_parent
    struct kernfs_node* __parent;
#else
    struct kernfs_node* parent;
#endif
};
struct ns_common {
#ifdef WITH_ns_common_count
    atomic_t count;
#endif
    unsigned int inum;
};
struct time_namespace {
    struct ns_common ns;
};
struct mnt_namespace;
struct nsproxy {
    struct mnt_namespace* mnt_ns;
#ifdef WITH_time_namespaces
    struct time_namespace* time_ns;
#endif
};

/* --- tracepoints --- */
#ifdef WITH_kernel_siginfo
struct kernel_siginfo {
    int si_signo;
};
#else
struct siginfo {
    int si_signo;
};
#endif
static inline void check_trace_callback_type_sched_process_exit(void (*probe)(void*,
                                                                              struct task_struct*
#ifdef WITH_exit_group_dead
                                                                              ,
                                                                              bool
#endif
                                                                              )) {
    (void)probe;
}
static inline void check_trace_callback_type_sched_switch(void (*probe)(void*, bool,
                                                                        struct task_struct*,
                                                                        struct task_struct*
#ifdef WITH_switch_prev_state
                                                                        ,
                                                                        unsigned int
#endif
                                                                        )) {
    (void)probe;
}
