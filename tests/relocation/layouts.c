// SPDX-License-Identifier: Apache-2.0
//
// Types of old kernels, as far as they differ from newer ones, for relocations_test.sh. Compiled
// for BPF, which makes BTF. The members' order and sizes are those of mainline's headers of the
// version.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

struct task_struct { // until 5.4, and RHEL 8
    u64 start_time;
#ifndef NO_START_TIME
    u64 real_start_time;
#endif
};

struct sock { // until 5.5, and RHEL 8
    u32 sk_padding : 1, sk_kern_sock : 1, sk_no_check_tx : 1, sk_no_check_rx : 1, sk_userlocks : 4,
        sk_protocol : 8, sk_type : 16;
    u16 sk_gso_max_segs;
};

struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
};

struct inode { // until 6.5
    struct timespec64 i_atime, i_mtime, i_ctime;
};

struct mm_rss_stat {
    struct {
        s64 counter;
    } count[4];
};

struct mm_struct { // until 6.1
    struct mm_rss_stat rss_stat;
};

struct kernfs_node { // until 6.14
    u32 count;
    struct kernfs_node* parent;
};

struct io_sr_msg { // 6.0 to 6.12
    u32 len, done_io, msg_flags;
    u16 flags, addr_len;
};

// Keeps each type.
struct task_struct* task;
struct sock* sock;
struct inode* inode;
struct mm_struct* mm;
struct kernfs_node* node;
struct io_sr_msg* message;
