// SPDX-License-Identifier: Apache-2.0
//
// call(): a raw system call, so that libc cannot make another one of it. Each call's number and
// result go to a log that the tested child shares with the test, which thereby knows what to
// expect.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <concepts>
#include <cstdint>

namespace tiercel::live {

struct CallLog {
    static constexpr std::size_t kMaxCalls = 256;
    std::size_t count;
    struct {
        long number, result;
    } calls[kMaxCalls];
    long notes[64]; // further values that a body passes to the test
};

// The log of the run in progress, in memory shared with its child.
CallLog& call_log();

inline long logged(long number, long result) {
    CallLog& log = call_log();
    // After a fork two processes log, perhaps at once.
    const std::size_t slot = std::atomic_ref(log.count).fetch_add(1);
    if (slot < CallLog::kMaxCalls)
        log.calls[slot] = {number, result};
    return result;
}

template <typename T>
long as_argument(T value) {
    if constexpr (std::is_pointer_v<T>)
        return static_cast<long>(reinterpret_cast<std::uintptr_t>(value));
    else if constexpr (std::is_null_pointer_v<T>)
        return 0;
    else
        return static_cast<long>(value);
}

// The result as the kernel gives it: -errno on failure.
template <typename... Arguments>
long call(long number, Arguments... arguments) {
    const long result = syscall(number, as_argument(arguments)...);
    return logged(number, result == -1 ? -errno : result);
}

#ifdef __x86_64__
// The same through the i386 entry: numbers and structures are i386's, pointers must fit 32 bits.
inline long raw_call32(long number, std::uint32_t a, std::uint32_t b, std::uint32_t c,
                       std::uint32_t d, std::uint32_t e, std::uint32_t f) {
    int result = 0;
    std::uint64_t sixth = f; // goes through a register, because rbp cannot be named here
    asm volatile("xchg %%rbp, %[f]\n\tint $0x80\n\txchg %%rbp, %[f]"
                 : "=a"(result), [f] "+r"(sixth)
                 : "a"(static_cast<int>(number)), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                 : "memory", "r8", "r9", "r10", "r11");
    return result;
}

template <typename... Arguments>
long call32(long number, Arguments... arguments) {
    std::uint32_t a[6] = {static_cast<std::uint32_t>(as_argument(arguments))...};
    return logged(number, raw_call32(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

// Memory below 4 GiB for what call32() points to; zeroed, one page or more.
void* low_memory(std::size_t bytes = 4096);
#endif

} // namespace tiercel::live
