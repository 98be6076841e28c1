/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Facts that /proc tells about threads and files of other processes (facts.cpp, descriptors.cpp),
 * as the interpreter (objects.c, interpreter.c) asks for them. The header is plain C and includes
 * nothing, because the interpreter's types have the names of the C library's. Functions return 0;
 * or -1 if the thing does not exist or may not be read, and the structure then holds zeros.
 */
#ifndef TIERCEL_PTRACE_FACTS_H
#define TIERCEL_PTRACE_FACTS_H

#ifdef __cplusplus
extern "C" {
#endif

#define FACTS_NAMESPACES 32 /* MAX_PID_NS_LEVEL of include/linux/pid_namespace.h */
#define FACTS_GROUPS 256    /* supplementary groups that are kept */
#define FACTS_PATH 4096
#define FACTS_CGROUPS 5 /* cpuset, cpu, cpuacct, io, memory, in this order */

struct thread_facts {
    int tid, tgid, parent_tid, parent_tgid;
    char comm[16];
    unsigned long long start_ns; /* since boot, in steps of a clock tick */
    unsigned long long major_faults, minor_faults;
    unsigned long long vm_kib, rss_kib, swap_kib;
    int has_memory;                                            /* 0: a zombie or a kernel thread */
    unsigned long long arg_start, arg_end, env_start, env_end; /* 0: may not be read */
    unsigned terminal;                     /* as the kernel encodes it for user space; 0: none */
    unsigned namespaces;                   /* how many entries of each row of `ids` are set */
    int ids[4][FACTS_NAMESPACES];          /* tid, tgid, process group, session; own view first */
    unsigned long long namespace_start_ns; /* start of the namespace's init; 0: not known */
    unsigned ruid, euid, egid, fsuid, fsgid, login_uid;
    unsigned group_count, groups[FACTS_GROUPS];
    unsigned long long inheritable, permitted, effective; /* capabilities */
    unsigned long long fd_limit;
};
int facts_of_thread(int tid, struct thread_facts* out);

struct file_facts {
    unsigned mode, uid, gid;
    unsigned dev; /* as the kernel numbers devices inside: major << 20 | minor */
    unsigned long long ino, filesystem;         /* filesystem: its magic number */
    unsigned long long flags;                   /* as of fcntl(F_GETFL) */
    unsigned long long changed_ns, modified_ns; /* since the epoch */
    int mount_id;
    int read_only, immutable;
    char path[FACTS_PATH]; /* "" if there is none; the kernel's mark of a deleted file is taken
                              off */
};
int facts_of_descriptor(int tid, int fd, struct file_facts* out);
int facts_of_executable(int tid, struct file_facts* out);

struct socket_facts {
    unsigned family, type, protocol;
    unsigned long long ino, peer_ino; /* peer_ino: a Unix socket's peer; 0: none or not known */
    /* Both ends, as getsockname(2) and getpeername(2) return them; length 0: none. */
    unsigned local_length, remote_length;
    unsigned char local[128], remote[128];
    unsigned queue_length, queue_limit; /* of a listener */
};
int facts_of_socket(int tid, int fd, struct socket_facts* out);

/* Writes a path with its NUL and returns the size; 0: no path. `which` is "cwd" or "root". */
unsigned facts_of_link(int tid, const char* which, char* out, unsigned size);
/* The numbers of the namespaces cgroup, ipc, mnt, net, pid, time, user, uts; 0: not known. */
#define FACTS_NAMESPACE_KINDS 8
void facts_of_namespaces(int tid, unsigned out[FACTS_NAMESPACE_KINDS]);
int facts_of_cgroups(int tid,
                     char out[FACTS_CGROUPS][FACTS_PATH]); /* "" for a controller without path */
int facts_have_children(
    int tid); /* 0: the thread has none; 1: it has some, or /proc does not say */
int facts_children_in_namespace(
    int tid); /* 1: its children start in another pid namespace than its own */
/* Reads "cmdline" or "environ" of /proc/PID; returns the bytes read, at most `size`. */
unsigned facts_of_texts(int tid, const char* which, char* out, unsigned size);

#ifdef __cplusplus
}
#endif
#endif
