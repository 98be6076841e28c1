// SPDX-License-Identifier: Apache-2.0
#include "ptrace/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "kernel/common/abi.h"
#include "ptrace/interpreter.h"

namespace tiercel::ptrace {

namespace {

constexpr unsigned kX32Bit = 0x40000000; // __X32_SYSCALL_BIT
constexpr unsigned kSocketcall = 102;    // i386: an argument says which socket call it is

using Program = std::vector<sock_filter>;

void add(Program& program, unsigned code, unsigned k, unsigned char yes = 0, unsigned char no = 0) {
    program.push_back({static_cast<unsigned short>(code), yes, no, k});
}

// Stops for the numbers in `stops` and allows the others. The number is in the accumulator.
template <typename Stops>
void add_ranges(Program& program, unsigned offset, Stops stops) {
    for (unsigned first = 0; first < TIERCEL_SYSCALL_MAX + 64; ++first) {
        if (!stops(first))
            continue;
        unsigned last = first;
        while (stops(last + 1))
            ++last;
        // Ranges are sorted: the next range tests larger numbers; a smaller number matches no
        // range.
        add(program, BPF_JMP | BPF_JGT | BPF_K, last + offset, 3, 0);
        add(program, BPF_JMP | BPF_JGE | BPF_K, first + offset, 0, 1);
        add(program, BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        first = last;
    }
    add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

// Skips the following instructions for calls of another ABI than `arch`.
void add_abi(Program& program, unsigned arch, const Program& body) {
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
    add(program, BPF_JMP | BPF_JA, static_cast<unsigned>(body.size()) + 1);
    add(program, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    program.insert(program.end(), body.begin(), body.end());
}

} // namespace

std::vector<sock_filter> make_filter(std::span<const std::uint64_t> interest) {
    const auto stops = [interest](int native) {
        const auto number = static_cast<unsigned>(native);
        return native >= 0 && number < TIERCEL_SYSCALL_MAX &&
               ((interest[number / 64] >> number % 64 & 1) != 0 || is_life_call(number));
    };
    Program program, body;
#if defined(__aarch64__)
    add_ranges(body, 0, [&](unsigned number) { return stops(static_cast<int>(number)); });
    add_abi(program, AUDIT_ARCH_AARCH64, body);
#else
    Program x32;
    add_ranges(x32, kX32Bit, [&](unsigned number) { return stops(native_of_x32(number)); });
    add(body, BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 1, 0);
    add(body, BPF_JMP | BPF_JA, static_cast<unsigned>(x32.size()));
    body.insert(body.end(), x32.begin(), x32.end());
    add_ranges(body, 0, [&](unsigned number) {
        return number < TIERCEL_SYSCALL_MAX && stops(static_cast<int>(number));
    });
    add_abi(program, AUDIT_ARCH_X86_64, body);
    Program ia32;
    add_ranges(ia32, 0, [&](unsigned number) {
        return number == kSocketcall || stops(native_of_ia32(number));
    });
    add_abi(program, AUDIT_ARCH_I386, ia32);
#endif
    add(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return program;
}

os::Result<void> install_filter(std::span<const sock_filter> program) {
    const sock_fprog all{static_cast<unsigned short>(program.size()),
                         const_cast<sock_filter*>(program.data())};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all) == 0)
        return {};
    if (errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all) == 0)
        return {};
    return os::error("install", "a seccomp filter");
}

} // namespace tiercel::ptrace
