/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Fills the kernel's objects from facts (objects.h). There is one task, because there is one
 * capture. */
#include "ptrace/platform.h"

#define FILES 4        /* the captures of one event use two descriptors at most */
#define KIB_PER_PAGE 4 /* as the captures count (kernel/common/captures/task.h, PAGE_KIB) */
#define CGROUP_DEPTH_MAX 64
#define OVERLAYFS 0x794c7630
#define TS_COMPAT_BIT 2 /* arch/x86/include/asm/thread_info.h */
/* An address in this range, where no memory is, stands for an entry of the descriptor table. */
#define TABLE_BASE ((struct file**)(1ull << 62))
#define TABLE_SIZE (1ull << 31)

struct ids {
    struct pid pid;
    struct upid deeper[FACTS_NAMESPACES];
};

struct file_object {
    struct file_facts facts;
    struct file file;
    struct inode inode;
    struct super_block sb;
    struct dentry dentry;
    struct mount mount;
    struct socket socket;
    struct ipv6_pinfo v6;
    union {
        struct sock sk;
        struct inet_sock inet;
        struct unix_sock unix_sock;
    };
    struct unix_sock peer;
    struct {
        struct unix_address address;
        char path[sizeof(struct sockaddr_un) + 1];
    } name, peer_name;
    __u64 ino, peer_ino;
};

static struct {
    int tid;
    __u8 task_known, cgroups_known, fs_known, nsproxy_known, exe_known;
    struct thread_facts facts;
    struct task_struct task, parent, init;
    struct mm_struct mm;
    struct cred cred;
    struct user_namespace user_namespace;
    struct cgroup_namespace cgroup_namespace;
    struct ipc_namespace ipc_namespace;
    struct mnt_namespace mnt_namespace;
    struct net net_namespace;
    struct time_namespace time_namespace;
    struct uts_namespace uts_namespace;
    union {
        struct group_info info;
        __u32 words[1 + FACTS_GROUPS]; /* the number of groups, then the groups */
    } groups;
    struct ids ids[4]; /* as facts.ids */
    struct pid_namespace namespace, child_namespace;
    struct signal_struct signal;
    struct tty_struct tty;
    struct tty_driver tty_driver;
    struct nsproxy nsproxy;
    struct files_struct descriptors;
    struct fdtable table;
    struct file_object exe, files[FILES];
    unsigned files_used;
    struct fs_struct fs;
    struct dentry cwd, root;
    struct mount mount;
    char cwd_path[FACTS_PATH], root_path[FACTS_PATH];
    struct css_set css;
    struct cgroup_subsys_state subsystems[FACTS_CGROUPS];
    struct cgroup cgroups[FACTS_CGROUPS];
    struct kernfs_node nodes[FACTS_CGROUPS][CGROUP_DEPTH_MAX];
    char cgroup_paths[FACTS_CGROUPS][FACTS_PATH];
} now;

static unsigned length_of(const char* text) {
    return __builtin_strlen(text);
}

/* --- the task --- */

struct task_struct* objects_begin(int tid, int compat) {
    now.tid = tid;
    now.task_known = now.cgroups_known = now.fs_known = now.nsproxy_known = now.exe_known = 0;
    now.files_used = 0;
    now.task = (struct task_struct){.thread_info.status = compat ? TS_COMPAT_BIT : 0,
                                    .files = &now.descriptors,
                                    .fs = &now.fs,
                                    .cgroups = &now.css,
                                    .nsproxy = &now.nsproxy,
                                    .cred = &now.cred,
                                    .signal = &now.signal};
    now.descriptors.fdt = &now.table;
    now.table = (struct fdtable){.max_fds = TABLE_SIZE - 1, .fd = TABLE_BASE};
    return &now.task;
}

static void fill_ids(void) {
    const struct thread_facts* facts = &now.facts;
    unsigned count = facts->namespaces;

    for (int kind = 0; kind < 4; kind++) {
        struct pid* pid = &now.ids[kind].pid;
        /* As in the kernel, the array is longer than its type says. */
        struct upid* numbers = (struct upid*)((char*)pid + __builtin_offsetof(struct pid, numbers));

        pid->level = count ? count - 1 : 0;
        for (unsigned level = 0; level < count; level++)
            numbers[level] = (struct upid){facts->ids[kind][level], &now.namespace};
    }
    now.init.start_time = facts->namespace_start_ns;
    now.namespace =
        (struct pid_namespace){.child_reaper = &now.init, .level = now.ids[0].pid.level};
    now.task.thread_pid = &now.ids[0].pid;
    now.signal.pids[PIDTYPE_PID] = &now.ids[0].pid;
    now.signal.pids[PIDTYPE_TGID] = &now.ids[1].pid;
    now.signal.pids[PIDTYPE_PGID] = &now.ids[2].pid;
    now.signal.pids[PIDTYPE_SID] = &now.ids[3].pid;
}

static void fill_cred(void) {
    const struct thread_facts* facts = &now.facts;

    now.groups.info.ngroups = facts->group_count;
    for (unsigned i = 0; i < facts->group_count; i++)
        now.groups.words[1 + i] = facts->groups[i];
    now.cred = (struct cred){.uid = {facts->ruid},
                             .euid = {facts->euid},
                             .egid = {facts->egid},
                             .fsuid = {facts->fsuid},
                             .fsgid = {facts->fsgid},
                             .user_ns = &now.user_namespace,
                             .group_info = &now.groups.info};
    __builtin_memcpy(&now.cred.cap_inheritable, &facts->inheritable, sizeof(__u64));
    __builtin_memcpy(&now.cred.cap_permitted, &facts->permitted, sizeof(__u64));
    __builtin_memcpy(&now.cred.cap_effective, &facts->effective, sizeof(__u64));
}

/* The inverse of include/linux/kdev_t.h, new_encode_dev(). */
static void fill_terminal(void) {
    unsigned device = now.facts.terminal;

    now.signal.tty = device ? &now.tty : NULL;
    now.tty.driver = &now.tty_driver;
    now.tty_driver.major = device >> 8 & 0xfff;
    now.tty.index = (device & 0xff) | (device >> 12 & 0xfff00);
}

static void fill_memory(void) {
    const struct thread_facts* facts = &now.facts;

    now.mm = (struct mm_struct){.total_vm = facts->vm_kib / KIB_PER_PAGE,
                                .arg_start = facts->arg_start,
                                .arg_end = facts->arg_end,
                                .env_start = facts->env_start,
                                .env_end = facts->env_end,
                                .exe_file = &now.exe.file};
    now.mm.rss_stat.count[0].counter =
        facts->rss_kib / KIB_PER_PAGE; /* MM_FILEPAGES: all kinds together */
    now.mm.rss_stat.count[2].counter = facts->swap_kib / KIB_PER_PAGE; /* MM_SWAPENTS */
    now.task.mm = facts->has_memory ? &now.mm : NULL;
}

void object_fill_task(const struct task_struct* task) {
    struct task_struct* t = &now.task;

    if (task != t || now.task_known)
        return;
    now.task_known = 1;
    facts_of_thread(now.tid, &now.facts);
    t->pid = now.facts.tid;
    t->tgid = now.facts.tgid;
    t->maj_flt = now.facts.major_faults;
    t->min_flt = now.facts.minor_faults;
    t->start_time = t->start_boottime = now.facts.start_ns;
    t->loginuid.val = now.facts.login_uid;
    __builtin_memcpy(t->comm, now.facts.comm, sizeof(t->comm));
    now.parent = (struct task_struct){.pid = now.facts.parent_tid, .tgid = now.facts.parent_tgid};
    t->real_parent = &now.parent;
    t->children.next = &t->children;
    fill_ids();
    fill_cred();
    fill_terminal();
    fill_memory();
    now.signal.rlim[7].rlim_cur = now.facts.fd_limit;
}

void object_fill_nsproxy(const struct nsproxy* proxy) {
    unsigned numbers[FACTS_NAMESPACE_KINDS];

    if (proxy != &now.nsproxy || now.nsproxy_known)
        return;
    now.nsproxy_known = 1;
    object_fill_task(&now.task);
    now.child_namespace.level = now.ids[0].pid.level + facts_children_in_namespace(now.tid);
    facts_of_namespaces(now.tid, numbers);
    now.cgroup_namespace.ns.inum = numbers[0];
    now.ipc_namespace.ns.inum = numbers[1];
    now.mnt_namespace.ns.inum = numbers[2];
    now.net_namespace.ns.inum = numbers[3];
    now.namespace.ns.inum = numbers[4];
    now.time_namespace.ns.inum = numbers[5];
    now.user_namespace.ns.inum = numbers[6];
    now.uts_namespace.ns.inum = numbers[7];
    now.nsproxy = (struct nsproxy){.uts_ns = &now.uts_namespace,
                                   .ipc_ns = &now.ipc_namespace,
                                   .mnt_ns = &now.mnt_namespace,
                                   .pid_ns_for_children = &now.child_namespace,
                                   .net_ns = &now.net_namespace,
                                   .time_ns = &now.time_namespace,
                                   .cgroup_ns = &now.cgroup_namespace};
}

/* --- paths: one dentry, which is its own parent and is named by the whole path --- */

static void fill_dentry(struct dentry* dentry, const char* path) {
    *dentry = (struct dentry){.d_parent = dentry,
                              .d_name = {length_of(path), (const unsigned char*)path}};
}

static struct vfsmount* fill_mount(struct mount* mount, struct dentry* root, int id) {
    *mount = (struct mount){.mnt_parent = mount, .mnt.mnt_root = root, .mnt_id = id};
    return &mount->mnt;
}

void object_fill_fs(const struct fs_struct* fs) {
    unsigned under;

    if (fs != &now.fs || now.fs_known)
        return;
    now.fs_known = 1;
    now.fs = (struct fs_struct){};
    if (!facts_of_link(now.tid, "root", now.root_path, sizeof(now.root_path)) ||
        !facts_of_link(now.tid, "cwd", now.cwd_path, sizeof(now.cwd_path)))
        return;
    under = length_of(now.root_path);
    if (under == 1 || __builtin_strncmp(now.cwd_path, now.root_path, under) != 0)
        under = 0; /* the root directory is /, or the working directory lies outside it */
    fill_dentry(&now.cwd, now.cwd_path[under] ? &now.cwd_path[under] : "/");
    fill_dentry(&now.root, now.root_path);
    now.fs.pwd.mnt = fill_mount(&now.mount, &now.cwd, 0);
    now.fs.pwd.dentry = &now.cwd;
    now.fs.root.mnt = &now.mount.mnt;
    now.fs.root.dentry = &now.root;
}

/* --- files --- */

static struct timespec64 time_of(__u64 ns) {
    return (struct timespec64){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static void fill_file(struct file_object* o) {
    const struct file_facts* facts = &o->facts;

    /* Only the kernel knows a file's overlay layer, so no file counts as an overlay's. */
    o->sb = (struct super_block){.s_dev = facts->dev,
                                 .s_flags = facts->read_only,
                                 .s_magic = facts->filesystem == OVERLAYFS ? 0 : facts->filesystem};
    o->inode = (struct inode){.i_mode = facts->mode,
                              .i_uid = {facts->uid},
                              .i_gid = {facts->gid},
                              .i_flags = facts->immutable ? 8 : 0, /* S_IMMUTABLE */
                              .i_sb = &o->sb,
                              .i_ino = facts->ino,
                              .i_mtime = time_of(facts->modified_ns),
                              .i_ctime = time_of(facts->changed_ns)};
    fill_dentry(&o->dentry, facts->path);
    o->dentry.d_inode = &o->inode;
    o->dentry.d_sb = &o->sb;
    o->file =
        (struct file){.f_inode = &o->inode,
                      .f_flags = facts->flags,
                      .f_path = {fill_mount(&o->mount, &o->dentry, facts->mount_id), &o->dentry}};
}

void object_fill_file(const struct file* file) {
    if (file != &now.exe.file || now.exe_known)
        return;
    now.exe_known = 1;
    if (facts_of_executable(now.tid, &now.exe.facts) != 0)
        now.exe.facts.path[0] = 0;
    fill_file(&now.exe);
}

/* --- sockets --- */

#define AF_UNIX_FAMILY 1
#define AF_INET_FAMILY 2
#define AF_INET6_FAMILY 10

struct inet_name {
    __u16 family;
    __be16 port;
    __be32 v4;
    struct in6_addr v6;
};

static void fill_internet(struct file_object* o, const struct socket_facts* facts) {
    struct inet_name local = {}, remote = {};

    __builtin_memcpy(&local, facts->local, sizeof(local));
    if (facts->remote_length)
        __builtin_memcpy(&remote, facts->remote, sizeof(remote));
    o->sk.__sk_common.skc_dport = remote.port;
    o->sk.__sk_common.skc_num = __builtin_bswap16(local.port);
    o->inet.inet_sport = local.port;
    if (facts->family == AF_INET6_FAMILY) {
        o->v6.saddr = o->sk.__sk_common.skc_v6_rcv_saddr = local.v6;
        o->sk.__sk_common.skc_v6_daddr = remote.v6;
        o->inet.pinet6 = &o->v6;
    } else {
        o->inet.inet_saddr = o->sk.__sk_common.skc_rcv_saddr = local.v4;
        o->sk.__sk_common.skc_daddr = remote.v4;
    }
}

static struct unix_address* fill_name(struct unix_address* name, const unsigned char* address,
                                      unsigned length) {
    if (length <= sizeof(__u16))
        return NULL;
    name->len = length;
    __builtin_memcpy(name->name, address, length);
    return name;
}

static void fill_socket(struct file_object* o, int fd) {
    struct socket_facts facts;

    o->file.private_data = &o->socket;
    o->socket.sk = NULL;
    if (facts_of_socket(now.tid, fd, &facts) != 0)
        return;
    o->socket.sk = &o->sk;
    __builtin_memset(&o->inet, 0, sizeof(o->inet));
    __builtin_memset(&o->unix_sock, 0, sizeof(o->unix_sock));
    o->ino = facts.ino;
    o->peer_ino = facts.peer_ino;
    o->sk.__sk_common.skc_family = facts.family;
    o->sk.sk_type = facts.type;
    o->sk.sk_protocol = facts.protocol;
    o->sk.sk_ack_backlog = facts.queue_length;
    o->sk.sk_max_ack_backlog = facts.queue_limit;
    if (facts.family == AF_INET_FAMILY || facts.family == AF_INET6_FAMILY)
        fill_internet(o, &facts);
    if (facts.family != AF_UNIX_FAMILY)
        return;
    o->unix_sock.addr = fill_name(&o->name.address, facts.local, facts.local_length);
    o->peer.addr = fill_name(&o->peer_name.address, facts.remote, facts.remote_length);
    o->unix_sock.peer = facts.peer_ino || facts.remote_length ? &o->peer.sk : NULL;
}

struct file* object_file(int fd) {
    struct file_object* o = &now.files[now.files_used++ % FILES];

    if (facts_of_descriptor(now.tid, fd, &o->facts) != 0)
        return NULL;
    fill_file(o);
    if ((o->facts.mode & 0170000) == 0140000) /* S_IFSOCK */
        fill_socket(o, fd);
    return &o->file;
}

__u64 object_inode(const void* socket) {
    for (int i = 0; i < FILES; i++) {
        const struct file_object* o = &now.files[i];

        if (socket == &o->sk)
            return o->ino;
        if (socket == &o->peer)
            return o->peer_ino;
    }
    return 0;
}

/* --- control groups: a path becomes a chain of nodes, and the top node has no parent --- */

static struct kernfs_node* fill_nodes(struct kernfs_node* nodes, char* path) {
    struct kernfs_node* last = nodes;

    *last = (struct kernfs_node){.name = ""};
    for (char* at = path; *at && last + 1 < nodes + CGROUP_DEPTH_MAX;) {
        if (*at == '/') {
            *at++ = 0;
            continue;
        }
        last[1] = (struct kernfs_node){.name = at, .parent = last};
        last++;
        while (*at && *at != '/')
            at++;
    }
    return last;
}

void object_fill_cgroups(const struct css_set* set) {
    static const int numbers[FACTS_CGROUPS] = {cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id,
                                               io_cgrp_id, memory_cgrp_id};

    if (set != &now.css || now.cgroups_known)
        return;
    now.cgroups_known = 1;
    now.css = (struct css_set){};
    if (facts_of_cgroups(now.tid, now.cgroup_paths) != 0)
        return;
    for (int i = 0; i < FACTS_CGROUPS; i++) {
        if (!now.cgroup_paths[i][0])
            continue;
        now.cgroups[i].kn = fill_nodes(now.nodes[i], now.cgroup_paths[i]);
        now.subsystems[i].cgroup = &now.cgroups[i];
        now.css.subsys[numbers[i]] = &now.subsystems[i];
    }
}

/* --- reading --- */

/* A small address is a field of a NULL object. */
static int is_nothing(const void* object) {
    return (__u64)object < 65536;
}

static int is_in_task(const void* object) {
    return object >= (const void*)&now.task && object < (const void*)(&now.task + 1);
}

int object_read(void* dst, __u32 size, const void* object) {
    __u64 entry = (const char*)object - (const char*)TABLE_BASE;

    if (entry < TABLE_SIZE * sizeof(struct file*)) {
        *(struct file**)dst = object_file(entry / sizeof(struct file*));
        return 0;
    }
    __builtin_memset(dst, 0, size);
    if (is_nothing(object))
        return -1;
    if (is_in_task(object))
        object_fill_task(&now.task);
    __builtin_memcpy(dst, object, size);
    return 0;
}

__s64 object_read_text(char* dst, __u32 size, const char* text) {
    __u32 n = 0;

    if (is_nothing(text) || size == 0)
        return -1;
    if (is_in_task(text))
        object_fill_task(&now.task);
    while (n + 1 < size && text[n]) {
        dst[n] = text[n];
        n++;
    }
    dst[n] = 0;
    return n + 1;
}
