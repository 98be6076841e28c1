/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * One capture in progress: the scratch area in which an event is put together, and the operations that store
 * a value. The layout is the scap event's (shared/event/view.h): header, lengths, values.
 *
 * A scratch area belongs to one CPU. Captures may nest, and interleave where the program can be preempted, so
 * each CPU has several areas, and a capture claims a free one (claim_capture).
 */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURE_H
#define TIERCEL_KERNEL_COMMON_CAPTURE_H

#include "kernel/common/platform.h"
#include "kernel/common/plan.h"

#define TIERCEL_SLOTS_PER_CPU 4
#define EVENT_MAX 0xffff /* the largest size of an event; positions fit a u16 */
#define TEXT_MAX 4096    /* PATH_MAX: the longest path, command line or environment that is kept */
#define SCRATCH_TMP 4608 /* work space of one capture: a path that is built backwards, user structures */

struct event_header {
    __u64 ts;
    __u64 tid;
    __u32 len;
    __u16 type;
    __u32 nparams;
} __attribute__((packed));

/*
 * Loops keep their position in `cursor`, in memory, where the verifier does not track its value. All paths
 * through one turn of the loop then end in the same state, so the verifier looks at one turn only.
 */
struct capture {
    __u64 claims; /* 1 while in use */
    __u64 args[6];
    __s64 ret;
    struct task_struct *task; /* the thread that the TASK captures describe */
    const void *subject;      /* the tracepoint's or iterator's object: a file, a binprm, a siginfo */
    __u64 extra[2];           /* numbers from the tracepoint or iterator */
    struct file *file;        /* of the returned descriptor, if file_known is set */
    __u32 end;                /* bytes of buf that the event takes so far */
    __u16 number;             /* syscall */
    __u16 scap;
    __u16 index; /* enum tiercel_event_index */
    __u8 compat; /* the caller's structures are 32-bit */
    __u8 file_known;
    __u32 message;         /* which of several messages (sendmmsg, recvmmsg) */
    volatile __u32 cursor; /* a loop's position in buf or tmp */
    volatile __u64 total;  /* a loop's sum */
    struct {
        __u64 base, count; /* an array in the caller's memory */
        __s64 limit;       /* bytes wanted of the buffers that it describes */
    } vector;
    struct {
        struct vfsmount *mnt, *root_mnt;
        struct dentry *dentry, *root;   /* root: the path starts here, or else at the top of the mount tree */
        struct dentry *at, *mount_root; /* where the walk is, and the root of the mount there */
        struct mount *mount, *seen, *whole; /* see origin_step() */
        struct super_block *sb;             /* of the file */
        __u32 crossed;                      /* mounts that the walk has left */
        __u32 complete;                     /* the walk has come to the top */
        __u32 bound;                        /* the path may pass a bind mount */
    } path;
    struct {
        struct sock *sk;
        __u64 address, len; /* from the caller, for a socket without a peer */
        __u64 inbound;
    } tuple;
    struct {
        __u64 header, end; /* the next control message, and the end of all */
        __u64 descriptor;  /* address of the next descriptor */
        __u32 left;        /* so many are at that address */
        __u32 messages;    /* so many messages are still to be looked at */
        __u64 message;     /* the next of them */
        __s32 returned;    /* the descriptor that the call itself returned, until it is taken */
        __u32 told;        /* bit N: the descriptor in argument N is still to be told */
    } received;
    struct kernfs_node *node;
    __u32 slot; /* this area's number */
    __u8 saved; /* bit N: argument N is the kernel address of a copy, made when the call was submitted */
    __u8 unknown_ret;
    __u16 cpu_flags; /* TIERCEL_CPU_URING */
    __u32 nparams;
    __u8 tmp[SCRATCH_TMP];
    __u8 buf[2 * (EVENT_MAX + 1) + TEXT_MAX];
};

/*
 * Hides a number's origin from the compiler. Verifiers before 6.x lose a bound if the compiler checks one
 * copy of a number and uses another, so a number that is checked and then used as an index goes through here.
 */
static __always_inline __u32 opaque(__u32 value)
{
    asm volatile("" : "+r"(value));
    return value;
}

/* The scratch area of this number, or NULL. Each driver defines it. */
static __always_inline struct capture *capture_at(__u32 slot);

/* The position of the next value, bounded so that more than EVENT_MAX bytes fit behind it. */
static __always_inline __u32 value_start(const struct capture *c)
{
    __u32 end = opaque(c->end);

    return end > EVENT_MAX ? EVENT_MAX : end;
}

/* Ends parameter `i`, whose `len` bytes were put at value_start(). */
static __always_inline int end_value(struct capture *c, __u32 i, __u32 len)
{
    if (len > EVENT_MAX)
        len = 0;
    *(__u16 *)&c->buf[sizeof(struct event_header) + 2 * (i & TIERCEL_PARAM_MASK)] = len;
    c->end = value_start(c) + len;
    return 0;
}

static __always_inline int no_value(struct capture *c, __u32 i)
{
    return end_value(c, i, 0);
}

static __always_inline int put_number(struct capture *c, __u32 i, __u64 value, __u32 width)
{
    *(__u64 *)&c->buf[value_start(c)] = value;
    return end_value(c, i, width);
}

/* For values of several parts: each call stores a part at *at and advances it; end_value() ends the value. */
#define DEFINE_PUT(name, type)                                                 \
    static __always_inline void name(struct capture *c, __u32 *at, type value) \
    {                                                                          \
        __u32 here = opaque(*at);                                              \
                                                                               \
        if (here > EVENT_MAX)                                                  \
            return;                                                            \
        *(type *)&c->buf[here] = value;                                        \
        *at = here + sizeof(type);                                             \
    }
DEFINE_PUT(put_u8, __u8)
DEFINE_PUT(put_u16, __u16)
DEFINE_PUT(put_u32, __u32)
DEFINE_PUT(put_u64, __u64)

/* Puts the text at a kernel address, at most `size` bytes with the NUL, as parameter `i`. */
static __always_inline int put_kernel_text(struct capture *c, __u32 i, const void *text, __u32 size)
{
    __s64 n = read_kernel_text(&c->buf[value_start(c)], size, text);

    return end_value(c, i, n > 0 ? n : 0);
}

static __always_inline __u64 argument(const struct capture *c, __u32 n)
{
    return n < 6 ? c->args[n] : 0;
}

static __always_inline __s32 signed_argument(const struct capture *c, __u32 n)
{
    return (__s32)argument(c, n);
}

#endif
