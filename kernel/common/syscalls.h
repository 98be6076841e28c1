/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * From the registers of a finished syscall to its event: the ABI of the caller, the number, whether it is
 * wanted, and the arguments. `regs` is the tracepoint's pointer, which REG() reads; read_arguments() takes
 * REGISTERS() instead, which plain loads can read.
 */
#ifndef TIERCEL_KERNEL_COMMON_SYSCALLS_H
#define TIERCEL_KERNEL_COMMON_SYSCALLS_H

#include "kernel/common/capture.h"

struct call {
    __u32 number; /* as called */
    __u32 native; /* the number whose interest bit covers the call */
    __u16 index;  /* enum tiercel_event_index */
    __u16 scap;
    __u8 compat;   /* the caller's structures are 32-bit */
    __u8 ia32;     /* the i386 numbers and registers */
    __u8 indirect; /* i386 socketcall: arguments are in memory */
};

static __always_inline int wanted(const volatile struct tiercel_config *config, __u32 native)
{
    return native < TIERCEL_SYSCALL_MAX && (config->interest[native / 64] >> (native % 64) & 1);
}

#if defined(__TARGET_ARCH_arm64)

static __always_inline __u32 syscall_number(const struct pt_regs *regs)
{
    return opaque(REG(regs, syscallno));
}

static __always_inline int is_ia32(struct task_struct *task)
{
    return 0;
}

static __always_inline void read_arguments(__u64 *args, const struct pt_regs *regs, int ia32)
{
    args[0] = regs->orig_x0;
    args[1] = regs->regs[1];
    args[2] = regs->regs[2];
    args[3] = regs->regs[3];
    args[4] = regs->regs[4];
    args[5] = regs->regs[5];
}

#else

#define X32_SYSCALL_BIT 0x40000000 /* arch/x86/include/uapi/asm/unistd.h */
#define IA32_NR_socketcall 102

static __always_inline __u32 syscall_number(const struct pt_regs *regs)
{
    return opaque(REG(regs, orig_ax));
}

static __always_inline int is_ia32(struct task_struct *task)
{
    return FIELD(struct task_struct, task, thread_info.status) & TS_COMPAT;
}

static __always_inline void read_arguments(__u64 *args, const struct pt_regs *regs, int ia32)
{
    if (ia32) {
        args[0] = (__u32)regs->bx;
        args[1] = (__u32)regs->cx;
        args[2] = (__u32)regs->dx;
        args[3] = (__u32)regs->si;
        args[4] = (__u32)regs->di;
        args[5] = (__u32)regs->bp;
        return;
    }
    args[0] = regs->di;
    args[1] = regs->si;
    args[2] = regs->dx;
    args[3] = regs->r10;
    args[4] = regs->r8;
    args[5] = regs->r9;
}

/* i386 socketcall(call, arguments): the call's own event. include/uapi/linux/net.h, SYS_*. */
static const volatile struct {
    __u16 native, index;
} socketcalls[] = {
#define SOCKETCALL(number, name, symbol) [number] = {NATIVE_##name, INDEX_SOCKET_##symbol}
    SOCKETCALL(1, socket, SOCKET_X),
    SOCKETCALL(2, bind, BIND_X),
    SOCKETCALL(3, connect, CONNECT_X),
    SOCKETCALL(4, listen, LISTEN_X),
    SOCKETCALL(5, accept, ACCEPT_5_X),
    SOCKETCALL(6, getsockname, GETSOCKNAME_X),
    SOCKETCALL(7, getpeername, GETPEERNAME_X),
    SOCKETCALL(8, socketpair, SOCKETPAIR_X),
    SOCKETCALL(9, sendto, SEND_X),
    SOCKETCALL(10, recvfrom, RECV_X),
    SOCKETCALL(11, sendto, SENDTO_X),
    SOCKETCALL(12, recvfrom, RECVFROM_X),
    SOCKETCALL(13, shutdown, SHUTDOWN_X),
    SOCKETCALL(14, setsockopt, SETSOCKOPT_X),
    SOCKETCALL(15, getsockopt, GETSOCKOPT_X),
    SOCKETCALL(16, sendmsg, SENDMSG_X),
    SOCKETCALL(17, recvmsg, RECVMSG_X),
    SOCKETCALL(18, accept4, ACCEPT4_6_X),
    SOCKETCALL(19, recvmmsg, RECVMMSG_X),
    SOCKETCALL(20, sendmmsg, SENDMMSG_X),
};
#define SOCKETCALL_COUNT (sizeof(socketcalls) / sizeof(socketcalls[0]))

static __always_inline int resolve_ia32(struct call *call, const struct pt_regs *regs)
{
    __u32 number = opaque(call->number);

    if (number >= TIERCEL_SYSCALL_MAX)
        return 0;
    call->ia32 = call->compat = 1;
    call->native = tiercel_ia32[number].native;
    call->index = tiercel_ia32[number].index;
    call->scap = tiercel_ia32[number].scap;
    if (number == IA32_NR_socketcall) {
        __u32 which = opaque(REG(regs, bx));

        if (which >= SOCKETCALL_COUNT)
            return 0;
        call->indirect = 1;
        call->native = socketcalls[which].native;
        call->index = socketcalls[which].index;
    }
    return 1;
}

#endif

/*
 * Whether the number is unwanted in every ABI, which ends the program for most syscalls of a machine. It
 * reads no task and makes no call, because a return can take 20 ns on a CPU that needs safe returns.
 */
static __always_inline int is_unwanted(const volatile struct tiercel_config *config,
                                       const struct pt_regs *regs)
{
    __u32 number = syscall_number(regs);

    if (number >= TIERCEL_SYSCALL_MAX || wanted(config, number))
        return 0;
#ifdef TIERCEL_HAS_IA32
    return number != IA32_NR_socketcall && !wanted(config, opaque(tiercel_ia32[number].native));
#else
    return 1;
#endif
}

/* Fills `call`. Returns 0 if the table knows no native number for the syscall. */
static __always_inline int identify_call(struct call *call, const struct pt_regs *regs,
                                         struct task_struct *task)
{
    __u32 number = syscall_number(regs);

    call->number = number;
#ifdef TIERCEL_HAS_IA32
    if (is_ia32(task))
        return resolve_ia32(call, regs);
    if (number & X32_SYSCALL_BIT) {
        number = opaque(number & ~X32_SYSCALL_BIT);
        if (number >= TIERCEL_X32_FIRST) {
            number = opaque(number - TIERCEL_X32_FIRST);
            if (number >= TIERCEL_X32_COUNT)
                return 0;
            number = opaque(tiercel_x32[number]);
            call->compat = 1;
        }
    }
#endif
    number = opaque(number);
    if (number >= TIERCEL_SYSCALL_MAX)
        return 0;
    call->native = number;
    call->index = tiercel_native[number].index;
    call->scap = tiercel_native[number].scap;
    return 1;
}

static __always_inline void read_indirect_arguments(struct capture *c)
{
    __u32 args[6] = {};

    /* the calls take three to six arguments; the captures do not use the words behind them */
    if (read_user(args, sizeof(args), c->args[1]))
        read_user(args, 3 * sizeof(args[0]), c->args[1]);
    for (int k = 0; k < 6; k++)
        c->args[k] = args[k];
}

/* Whether a tracepoint has given the event already: of a successful exec, and of the child of a fork. */
static __always_inline int told_elsewhere(__u16 index, __s64 ret)
{
    if (ret != 0)
        return 0;
    return index == INDEX_SYSCALL_EXECVE_19_X || index == INDEX_SYSCALL_EXECVEAT_X ||
           index == INDEX_SYSCALL_CLONE_20_X || index == INDEX_SYSCALL_FORK_20_X ||
           index == INDEX_SYSCALL_VFORK_20_X || index == INDEX_SYSCALL_CLONE3_X;
}

#endif
