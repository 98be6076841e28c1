/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Converts the kernel's flag and command numbers to the scap schema's, where the two differ. Pure functions
 * in plain C, which all drivers share. The schema's side is shared/event/flags.def; the kernel's side is
 * include/uapi/ (x86-64 values where architectures differ, except for arm64's four open flags).
 */
#ifndef TIERCEL_KERNEL_COMMON_CONVERT_H
#define TIERCEL_KERNEL_COMMON_CONVERT_H

/* Moves the bits of `flag` to `to`; both may have several bits. */
#define MOVE(value, flag, to) (((value) & (flag)) == (flag) ? (to) : 0)

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define KERNEL_O_DIRECTORY 040000
#define KERNEL_O_DIRECT 0200000
#define KERNEL_O_LARGEFILE 0400000
#else
#define KERNEL_O_DIRECTORY 0200000
#define KERNEL_O_DIRECT 040000
#define KERNEL_O_LARGEFILE 0100000
#endif
#define KERNEL_O_CREAT 0100
#define KERNEL_O_TMPFILE (020000000 | KERNEL_O_DIRECTORY)
#define KERNEL_O_CLOEXEC 02000000
#define KERNEL_O_NONBLOCK 04000

static __always_inline __u32 convert_open_flags(__u64 flags)
{
    __u32 access = flags & 3;
    __u32 out = access == 0 ? 1 : access == 1 ? 2 : access == 2 ? 3 : 0;

    out |= MOVE(flags, KERNEL_O_CREAT, 4);
    out |= MOVE(flags, 02000, 8);   /* O_APPEND */
    out |= MOVE(flags, 010000, 16); /* O_DSYNC */
    out |= MOVE(flags, 0200, 32);   /* O_EXCL */
    out |= MOVE(flags, KERNEL_O_NONBLOCK, 64);
    out |= MOVE(flags, 04010000, 128); /* O_SYNC */
    out |= MOVE(flags, 01000, 256);    /* O_TRUNC */
    out |= MOVE(flags, KERNEL_O_DIRECT, 512);
    out |= MOVE(flags, KERNEL_O_DIRECTORY, 1024);
    out |= MOVE(flags, KERNEL_O_LARGEFILE, 2048);
    out |= MOVE(flags, KERNEL_O_CLOEXEC, 4096);
    out |= MOVE(flags, KERNEL_O_TMPFILE, 8192);
    return out;
}

/* The mode of an open that creates a file; otherwise 0, because the kernel ignores the argument (open(2)). */
static __always_inline __u32 convert_open_mode(__u64 flags, __u64 mode)
{
    if (!(flags & KERNEL_O_CREAT) && (flags & KERNEL_O_TMPFILE) != KERNEL_O_TMPFILE)
        return 0;
    return mode & 07777;
}

/* The flags of pipe2, dup3, inotify_init1 and others, which have no access mode. */
static __always_inline __u32 convert_plain_open_flags(__u64 flags)
{
    return convert_open_flags(flags) & ~3u;
}

static __always_inline __u32 convert_socket_flags(__u64 type)
{
    return MOVE(type, KERNEL_O_CLOEXEC, 4096) | MOVE(type, KERNEL_O_NONBLOCK, 64);
}

static __always_inline __u32 convert_clone_flags(__u64 flags)
{
    __u32 out = 0;

    out |= MOVE(flags, 0x400, 1 << 0);       /* CLONE_FILES */
    out |= MOVE(flags, 0x200, 1 << 1);       /* CLONE_FS */
    out |= MOVE(flags, 0x80000000, 1 << 2);  /* CLONE_IO */
    out |= MOVE(flags, 0x08000000, 1 << 3);  /* CLONE_NEWIPC */
    out |= MOVE(flags, 0x40000000, 1 << 4);  /* CLONE_NEWNET */
    out |= MOVE(flags, 0x00020000, 1 << 5);  /* CLONE_NEWNS */
    out |= MOVE(flags, 0x20000000, 1 << 6);  /* CLONE_NEWPID */
    out |= MOVE(flags, 0x04000000, 1 << 7);  /* CLONE_NEWUTS */
    out |= MOVE(flags, 0x00008000, 1 << 8);  /* CLONE_PARENT */
    out |= MOVE(flags, 0x00100000, 1 << 9);  /* CLONE_PARENT_SETTID */
    out |= MOVE(flags, 0x00002000, 1 << 10); /* CLONE_PTRACE */
    out |= MOVE(flags, 0x00000800, 1 << 11); /* CLONE_SIGHAND */
    out |= MOVE(flags, 0x00040000, 1 << 12); /* CLONE_SYSVSEM */
    out |= MOVE(flags, 0x00010000, 1 << 13); /* CLONE_THREAD */
    out |= MOVE(flags, 0x00800000, 1 << 14); /* CLONE_UNTRACED */
    out |= MOVE(flags, 0x00000100, 1 << 15); /* CLONE_VM */
    out |= MOVE(flags, 0x10000000, 1 << 20); /* CLONE_NEWUSER */
    out |= MOVE(flags, 0x00200000, 1 << 23); /* CLONE_CHILD_CLEARTID */
    out |= MOVE(flags, 0x01000000, 1 << 24); /* CLONE_CHILD_SETTID */
    out |= MOVE(flags, 0x00080000, 1 << 25); /* CLONE_SETTLS */
    out |= MOVE(flags, 0x00004000, 1 << 27); /* CLONE_VFORK */
    out |= MOVE(flags, 0x02000000, 1 << 28); /* CLONE_NEWCGROUP */
    return out;
}
#define SCAP_CLONE_CHILD_IN_PIDNS (1u << 29)

static __always_inline __u32 convert_prot_flags(__u64 prot)
{
    return (prot & 15) | MOVE(prot, 0x01000000, 16) | MOVE(prot, 0x02000000, 32);
}

static __always_inline __u32 convert_mmap_flags(__u64 flags)
{
    __u32 out = flags & 3; /* MAP_SHARED, MAP_PRIVATE */

    out |= MOVE(flags, 0x10, 4);       /* MAP_FIXED */
    out |= MOVE(flags, 0x20, 8);       /* MAP_ANONYMOUS */
    out |= MOVE(flags, 0x40, 16);      /* MAP_32BIT */
    out |= MOVE(flags, 0x4000, 64);    /* MAP_NORESERVE */
    out |= MOVE(flags, 0x8000, 128);   /* MAP_POPULATE */
    out |= MOVE(flags, 0x10000, 256);  /* MAP_NONBLOCK */
    out |= MOVE(flags, 0x0100, 512);   /* MAP_GROWSDOWN */
    out |= MOVE(flags, 0x0800, 1024);  /* MAP_DENYWRITE */
    out |= MOVE(flags, 0x1000, 2048);  /* MAP_EXECUTABLE */
    out |= MOVE(flags, 0x2000, 16384); /* MAP_LOCKED */
    return out;
}

static __always_inline __u8 convert_fcntl_cmd(__u64 command)
{
    switch (command) {
    case 0: return 1;     /* F_DUPFD */
    case 1: return 2;     /* F_GETFD */
    case 2: return 3;     /* F_SETFD */
    case 3: return 4;     /* F_GETFL */
    case 4: return 5;     /* F_SETFL */
    case 5: return 6;     /* F_GETLK */
    case 6: return 8;     /* F_SETLK */
    case 7: return 9;     /* F_SETLKW */
    case 8: return 10;    /* F_SETOWN */
    case 9: return 12;    /* F_GETOWN */
    case 10: return 13;   /* F_SETSIG */
    case 11: return 15;   /* F_GETSIG */
    case 12: return 17;   /* F_GETLK64 */
    case 13: return 18;   /* F_SETLK64 */
    case 14: return 19;   /* F_SETLKW64 */
    case 15: return 21;   /* F_SETOWN_EX */
    case 16: return 22;   /* F_GETOWN_EX */
    case 36: return 30;   /* F_OFD_GETLK */
    case 37: return 31;   /* F_OFD_SETLK */
    case 38: return 32;   /* F_OFD_SETLKW */
    case 1024: return 23; /* F_SETLEASE */
    case 1025: return 24; /* F_GETLEASE */
    case 1026: return 27; /* F_NOTIFY */
    case 1029: return 25; /* F_CANCELLK */
    case 1030: return 26; /* F_DUPFD_CLOEXEC */
    case 1031: return 28; /* F_SETPIPE_SZ */
    case 1032: return 29; /* F_GETPIPE_SZ */
    default: return 0;
    }
}

static __always_inline __u16 convert_ptrace_request(__u64 request)
{
    switch (request) {
    case 0 ... 9: return request + 1; /* PTRACE_TRACEME to PTRACE_SINGLESTEP */
    case 12: return 26;               /* PTRACE_GETREGS */
    case 13: return 27;
    case 14: return 28;
    case 15: return 29;
    case 16: return 11; /* PTRACE_ATTACH */
    case 17: return 12; /* PTRACE_DETACH */
    case 18: return 30; /* PTRACE_GETFPXREGS */
    case 19: return 31;
    case 21: return 32; /* PTRACE_OLDSETOPTIONS */
    case 24: return 13; /* PTRACE_SYSCALL */
    case 25: return 33; /* PTRACE_GET_THREAD_AREA */
    case 26: return 34;
    case 30: return 35; /* PTRACE_ARCH_PRCTL */
    case 31: return 36; /* PTRACE_SYSEMU */
    case 32: return 37;
    case 33: return 38; /* PTRACE_SINGLEBLOCK */
    case 0x4200 ... 0x420b: {
        /* PTRACE_SETOPTIONS, GETEVENTMSG, GETSIGINFO, SETSIGINFO, GETREGSET, SETREGSET, SEIZE, ... */
        return 14 + (request - 0x4200);
    }
    default: return 0;
    }
}

static __always_inline __u32 convert_semget_flags(__u64 flags)
{
    return (flags & 0777) | MOVE(flags, 01000, 8192) | MOVE(flags, 02000, 16384);
}

static __always_inline __u16 convert_semctl_cmd(__u64 command)
{
    switch (command & ~0x100ull) { /* without IPC_64 */
    case 0: return 4;              /* IPC_RMID */
    case 1: return 2;              /* IPC_SET */
    case 2: return 1;              /* IPC_STAT */
    case 3: return 8;              /* IPC_INFO */
    case 11: return 256;           /* GETPID */
    case 12: return 512;           /* GETVAL */
    case 13: return 64;            /* GETALL */
    case 14: return 128;           /* GETNCNT */
    case 15: return 1024;          /* GETZCNT */
    case 16: return 4096;          /* SETVAL */
    case 17: return 2048;          /* SETALL */
    case 18: return 32;            /* SEM_STAT */
    case 19: return 16;            /* SEM_INFO */
    default: return 0;
    }
}

static __always_inline __u16 convert_semop_flags(__u64 flags)
{
    return MOVE(flags, 04000, 1) | MOVE(flags, 0x1000, 2); /* IPC_NOWAIT, SEM_UNDO */
}

static __always_inline __u8 convert_sockopt_level(__u64 level)
{
    return level == 1 ? 1 : level == 6 ? 2 : 0; /* SOL_SOCKET, SOL_TCP */
}

static __always_inline __u8 convert_sockopt_name(__u64 level, __u64 name)
{
    return level == 1 && name <= 53 ? name : 0; /* the schema keeps SOL_SOCKET's numbers */
}

static __always_inline __u16 convert_quota_cmd(__u64 command)
{
    switch (command >> 8) {
    case 0x800001: return 128; /* Q_SYNC */
    case 0x800002: return 1;   /* Q_QUOTAON */
    case 0x800003: return 2;   /* Q_QUOTAOFF */
    case 0x800004: return 4;   /* Q_GETFMT */
    case 0x800005: return 8;   /* Q_GETINFO */
    case 0x800006: return 16;  /* Q_SETINFO */
    case 0x800007: return 32;  /* Q_GETQUOTA */
    case 0x800008: return 64;  /* Q_SETQUOTA */
    case 0x5801: return 256;   /* Q_XQUOTAON */
    case 0x5802: return 512;   /* Q_XQUOTAOFF */
    case 0x5803: return 1024;  /* Q_XGETQUOTA */
    case 0x5804: return 2048;  /* Q_XSETQLIM */
    case 0x5805: return 4096;  /* Q_XGETQSTAT */
    case 0x5806: return 8192;  /* Q_XQUOTARM */
    case 0x5807: return 16384; /* Q_XQUOTASYNC */
    default: return 0;
    }
}

static __always_inline __u8 convert_quota_type(__u64 command)
{
    return (command & 0xff) == 0 ? 1 : (command & 0xff) == 1 ? 2 : 0;
}

/* QFMT_VFS_OLD, QFMT_VFS_V0, QFMT_VFS_V1 are 1, 2, 4 in the kernel. */
static __always_inline __u8 convert_quota_format(__u64 format)
{
    return format == 1 ? 2 : format == 2 ? 4 : format == 4 ? 8 : 1;
}

static __always_inline __u32 convert_resolve_flags(__u64 resolve)
{
    return MOVE(resolve, 8, 1) | MOVE(resolve, 16, 2) | MOVE(resolve, 2, 4) | MOVE(resolve, 4, 8) |
           MOVE(resolve, 1, 16) | MOVE(resolve, 32, 32);
}

static __always_inline __u32 convert_fchownat_flags(__u64 flags)
{
    return MOVE(flags, 0x100, 1024) | MOVE(flags, 0x1000, 4096);
}

static __always_inline __u32 convert_uring_setup_flags(__u64 flags)
{
    return (flags & 3) | MOVE(flags, 4, 8) | MOVE(flags, 8, 16) | MOVE(flags, 16, 32) | MOVE(flags, 32, 64) |
           MOVE(flags, 64, 128);
}

/* The events of poll(2), as the schema numbers them in lists of descriptors. */
static __always_inline __u16 convert_poll_events(__u64 events)
{
    return (events & 7) | MOVE(events, 0x2000, 8) | MOVE(events, 8, 16) | MOVE(events, 16, 32) |
           MOVE(events, 32, 64) | MOVE(events, 64, 128) | MOVE(events, 128, 256) | MOVE(events, 256, 512) |
           MOVE(events, 512, 1024);
}

/* Device numbers as user space sees them: new_encode_dev() of include/linux/kdev_t.h. */
static __always_inline __u32 convert_dev(__u32 dev)
{
    __u32 major = dev >> 20, minor = dev & 0xfffff;

    return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

#endif
