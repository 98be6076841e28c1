// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The modern probe: CO-RE, BPF ring buffers, tp_btf tracepoints (or fexit on each wanted syscall where the
// kernel has trampolines), and iterators over the threads and files that exist already. kernel/common/ and
// kernel/bpf_common/ decide what an event holds and which tracepoint gives it; this file has what only a
// modern kernel offers.

#include "kernel/bpf_common/tracepoints.h"
#include "kernel/bpf_modern/rings.h"
#include "kernel/common/iterators.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#ifdef CAST
const volatile __u32 tc_type_numbers[TIERCEL_TYPES_MAX] SEC(".rodata.types") = {};
#endif

/* --- per-syscall attachment ------------------------------------------------------------------------ */

/*
 * Where the kernel has trampolines, an unwanted syscall need not run any program: privd attaches a clone of
 * fexit_syscall to the function of each wanted syscall, and does not attach the tracepoint. The clones are
 * stubs that jump to the one program that captures, so the verifier checks a hundred of them quickly. A jump
 * is allowed only between functions of the same prototype (kernel/bpf/core.c, __bpf_prog_map_compatible()).
 * Functions without an argument have another prototype, so there are two of each.
 */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} jump SEC(".maps"), jump_noargs SEC(".maps"), jump_entry SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define FUNCTION_PREFIX "__x64_sys_"
#define RESULT(registers) ((registers)->ax)
#define NOARGS_PREFIX "__do_sys_" /* BTF may lack the __x64_sys_ alias of these functions */
#else
#define FUNCTION_PREFIX "__arm64_sys_"
#define RESULT(registers) ((registers)->regs[0])
#define NOARGS_PREFIX FUNCTION_PREFIX
#endif

SEC("tiercel.fexit/" FUNCTION_PREFIX "close")
int fexit_syscall(void *ctx)
{
    bpf_tail_call(ctx, &jump, 0);
    return 0;
}

SEC("tiercel.fexit/" NOARGS_PREFIX "getuid")
int fexit_syscall_noargs(void *ctx)
{
    bpf_tail_call(ctx, &jump_noargs, 0);
    return 0;
}

SEC("tiercel.fexit/" FUNCTION_PREFIX "close")
int fexit_capture(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

    if (uring_entered(ctx, regs))
        return 0;
    return syscall_done(ctx, regs, ctx[1]);
}

SEC("tiercel.fexit/" NOARGS_PREFIX "getuid")
int fexit_capture_noargs(__u64 *ctx)
{
    /* i386 shares these functions; fexit_every_ia32 captures its calls */
    if (is_ia32(this_task()))
        return 0;
    return syscall_done(ctx, (const struct pt_regs *)ctx[0], ctx[1]);
}

/* The same at the entry of the functions whose syscalls have texts to save. */
SEC("tiercel.fentry/" FUNCTION_PREFIX "close")
int fentry_syscall(void *ctx)
{
    bpf_tail_call(ctx, &jump_entry, 0);
    return 0;
}

SEC("tiercel.fentry/" FUNCTION_PREFIX "close")
int fentry_capture(__u64 *ctx)
{
    return call_entered((const struct pt_regs *)ctx[0]);
}

#if defined(__TARGET_ARCH_x86)
SEC("tiercel.fentry/ia32_sys_call")
int fentry_every_ia32(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

    return is_unwanted(&tc_config, regs) ? 0 : call_entered(regs);
}

/*
 * arch/x86/entry/syscall_32.c: long ia32_sys_call(regs, number) calls the functions of all i386 syscalls,
 * whose names differ from the native ones and between kernels. Native callers do not use it.
 */
SEC("tiercel.fexit/ia32_sys_call")
int fexit_every_ia32(__u64 *ctx)
{
    const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

    if (is_unwanted(&tc_config, regs) || uring_entered(ctx, regs))
        return 0;
    return syscall_done(ctx, regs, ctx[2]);
}
#endif

#ifndef TIERCEL_OLD_KERNEL
/*
 * kernel/seccomp.c: int __secure_computing(), which runs only for threads with a filter. On -1 the syscall is
 * not made, and its result is in the registers already. The number of the function's arguments changed
 * in 6.16.
 */
SEC("tiercel.fexit/__secure_computing")
int fexit_every_refused(void *ctx)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
    __u64 verdict = 0;

    if (bpf_get_func_ret(ctx, &verdict) || (int)verdict != -1 || is_unwanted(&tc_config, regs))
        return 0;
    return syscall_done(ctx, regs, RESULT(regs));
}
#endif

/*
 * The names of the syscalls' functions for privd, which knows no syscall by name: the part behind the prefix,
 * by native number. An empty name means no such syscall, or one that does not return to its caller. The last
 * entry is the function for numbers that the kernel does not know.
 */
#define SYMBOL_BYTES 32
const char syscall_symbols[TIERCEL_SYSCALL_SLOTS][SYMBOL_BYTES] SEC(".rodata.symbols") = {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#define SYSCALL(name, x86_64, i386, arm64, scap) [SLOT_OF(NATIVE_##name)] = #name,
#define SYSCALL_COMPAT(name, i386, native, scap)
#define SYSCALL_X32(native, x32)
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
#undef SYSCALL_X32
#define RENAMED(name, symbol) [SLOT_OF(NATIVE_##name)] = symbol
    RENAMED(stat, "newstat"),   RENAMED(lstat, "newlstat"),
    RENAMED(fstat, "newfstat"), RENAMED(uname, "newuname"),
    RENAMED(umount2, "umount"), RENAMED(sendfile, "sendfile64"),
    RENAMED(rt_sigreturn, ""),  RENAMED(exit, ""),
    RENAMED(exit_group, ""),    [TIERCEL_SYSCALL_MAX] = "ni_syscall",
#pragma GCC diagnostic pop
};

/* Whether a syscall has texts to save at its entry, by native number. */
const char syscall_texts[TIERCEL_SYSCALL_SLOTS] SEC(".rodata.texts") = {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#define EVENT(code, symbol, name, category, flags, source, ...) EVENT_ROWS(TEXTS_##symbol, source)
#define EVENT_OF(name, texts) [SLOT_OF(NATIVE_##name)] = (texts) != 0,
#include "shared/event/events.def"
#undef EVENT
#undef EVENT_OF
#pragma GCC diagnostic pop
};

/* --- iterators over what exists already ----------------------------------------------------------- */

/* kernel/bpf/task_iter.c: one call for each thread, then one with no task at the end. */
static __always_inline void write_event(struct capture *c, struct seq_file *seq)
{
    __u32 len = opaque(c->end);

    if (len <= EVENT_MAX)
        bpf_seq_write(seq, c->buf, len);
}

static __always_inline __u64 iter_tid(struct task_struct *task)
{
    return (__u64)READ(task, tgid) << 32 | (__u32)READ(task, pid);
}

SEC("tiercel.iter/bpf_iter_task")
int dump_task(struct bpf_iter__task *ctx)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot;
    struct task_struct *task = ctx->task;
    struct seq_file *seq = ctx->meta->seq;
    struct capture *c;

    if (!task || READ(task, flags) & PF_KTHREAD)
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = task;
    c->ret = 0;
    c->index = INDEX_ITER_TASK_E;
    capture_thread_event(slot, iter_tid(task));
    write_event(c, seq);
    release_capture(c);
    return 0;
}

/* Threads share the table of their process, so the iterator visits it once, for the thread group leader. */
SEC("tiercel.iter/bpf_iter_task_file")
int dump_task_file(struct bpf_iter__task_file *ctx)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot, index;
    struct task_struct *task = ctx->task;
    struct seq_file *seq = ctx->meta->seq;
    struct file *file = ctx->file;
    struct capture *c;

    if (!task || !file)
        return 0;
    index = file_event(file);
    if (index >= INDEX_COUNT)
        return 0;
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    c->task = task;
    c->subject = file;
    c->extra[0] = ctx->fd;
    c->index = index;
    capture_file_event(slot, iter_tid(task));
    write_event(c, seq);
    release_capture(c);
    return 0;
}
