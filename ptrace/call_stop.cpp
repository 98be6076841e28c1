// SPDX-License-Identifier: Apache-2.0
#include "ptrace/call_stop.h"

#include <elf.h>
#include <linux/audit.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "ptrace/memory.h"

namespace tiercel::ptrace {

namespace {

bool has_syscall_info = true; // until the kernel refuses the request

CallStop of_info(const __ptrace_syscall_info& info) {
    if (info.arch == AUDIT_ARCH_ARM)
        return {};
    CallStop stop;
    stop.call.abi = info.arch == AUDIT_ARCH_I386 ? CALL_IA32 : CALL_NATIVE;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        stop.kind = CallStop::exit;
        stop.result = info.exit.rval;
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
        const bool seccomp = info.op == PTRACE_SYSCALL_INFO_SECCOMP;
        stop.kind = CallStop::entry;
        stop.call.number = static_cast<unsigned>(seccomp ? info.seccomp.nr : info.entry.nr);
        std::ranges::copy(seccomp ? info.seccomp.args : info.entry.args, stop.call.args);
    }
    return stop;
}

os::Result<CallStop> by_info(pid_t tid) {
    __ptrace_syscall_info info{};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): ptrace takes the size as a pointer
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, tid, reinterpret_cast<void*>(sizeof info), &info) <= 0)
        return os::error("read the system call of thread", std::to_string(tid));
    return of_info(info);
}

// Words of a register set that hold a call's number, arguments and result.
struct Layout {
    std::size_t bytes; // of the whole set
    std::size_t word;  // bytes of one register
    call_abi abi;
    std::size_t number, args[6], result;
};

#if defined(__aarch64__)
// arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs: regs[31], sp, pc, pstate.
constexpr Layout kLayouts[] = {{34 * 8, 8, CALL_NATIVE, 8, {0, 1, 2, 3, 4, 5}, 0}};
#else
// arch/x86/include/asm/user_64.h and user_32.h, struct user_regs_struct.
constexpr Layout kLayouts[] = {{27 * 8, 8, CALL_NATIVE, 15, {14, 13, 12, 7, 9, 8}, 10},
                               {17 * 4, 4, CALL_IA32, 11, {0, 1, 2, 3, 4, 5}, 6}};
// The i386 registers of a 64-bit program that calls by int $0x80.
constexpr Layout kInt80Layout = {27 * 8, 8, CALL_IA32, 15, {5, 11, 12, 13, 14, 4}, 10};
constexpr std::size_t kInstructionPointer = 16;
#endif

using Registers = std::array<unsigned char, 512>;

long long register_of(const Registers& registers, const Layout& layout, std::size_t index) {
    if (layout.word == sizeof(std::int32_t)) {
        std::int32_t value = 0;
        std::memcpy(&value, &registers[index * layout.word], sizeof value);
        return value;
    }
    long long value = 0;
    std::memcpy(&value, &registers[index * layout.word], sizeof value);
    return value;
}

// The registers of a 64-bit program do not tell the ABI of its call; the instruction before the
// return does.
const Layout& layout_of_call(pid_t tid, const Registers& registers, const Layout& layout) {
#if !defined(__aarch64__)
    constexpr std::array<unsigned char, 2> kInt80 = {0xcd, 0x80};
    std::array<unsigned char, 2> code{};
    if (layout.abi == CALL_NATIVE) {
        memory_of(tid);
        const auto next =
            static_cast<unsigned long long>(register_of(registers, layout, kInstructionPointer));
        if (memory_read(code.data(), code.size(), next - code.size()) == 0 && code == kInt80)
            return kInt80Layout;
    }
#endif
    return layout;
}

os::Result<CallStop> by_registers(pid_t tid, bool returns) {
    Registers registers{};
    iovec vector{registers.data(), registers.size()};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): ptrace takes the kind of the set as a pointer
    if (::ptrace(PTRACE_GETREGSET, tid, reinterpret_cast<void*>(NT_PRSTATUS), &vector) != 0)
        return os::error("read the registers of thread", std::to_string(tid));
    const auto* const found = std::ranges::find(kLayouts, vector.iov_len, &Layout::bytes);
    if (found == std::end(kLayouts))
        return CallStop{};
    const Layout& layout = layout_of_call(tid, registers, *found);
    CallStop stop;
    stop.kind = returns ? CallStop::exit : CallStop::entry;
    stop.call.abi = layout.abi;
    stop.call.number = static_cast<unsigned>(register_of(registers, layout, layout.number));
    for (int i = 0; i < 6; ++i) {
        const long long value = register_of(registers, layout, layout.args[i]);
        stop.call.args[i] = static_cast<unsigned long long>(value) &
                            (layout.abi == CALL_IA32 ? UINT32_MAX : UINT64_MAX);
    }
    stop.result = register_of(registers, layout, layout.result);
    return stop;
}

} // namespace

os::Result<CallStop> read_call_stop(pid_t tid, bool returns) {
    if (has_syscall_info) {
        auto stop = by_info(tid);
        if (stop || stop.error().number == ESRCH)
            return stop;
        has_syscall_info = false;
    }
    return by_registers(tid, returns);
}

} // namespace tiercel::ptrace
