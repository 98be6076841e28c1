// SPDX-License-Identifier: Apache-2.0
//
// The system calls of privd, by phase: those of the load from before the first byte of a peer is
// read, the steady ones, on top of that, from the hand-over on. Each driver's program has what all
// need and its own. The live tests run under them.
#pragma once

#include "policy/privilege/seccomp.h"

#include <algorithm>
#include <array>

namespace tiercel::policy {

// clang-format off
constexpr Allow privd_load[] = {
    {"take a peer, see who it is, limit its time", {SCMP_SYS(accept4), SCMP_SYS(getsockopt),
     SCMP_SYS(setsockopt)}},
    {"receive a request, answer, hand fds over", {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg)}},
    {"memory", {SCMP_SYS(mmap), SCMP_SYS(mprotect)}, Only::not_executable},
    {"memory", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(getrandom)}},
    {"release fds", {SCMP_SYS(close)}},
    {"the load's duration, where the vDSO cannot tell", {SCMP_SYS(clock_gettime)}},
    {"the next phase: fewer capabilities, fewer calls", {SCMP_SYS(capget), SCMP_SYS(capset),
     SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(getpid)}},
    {"glibc's fstat()", {SCMP_SYS(newfstatat)}, Only::empty_path},
    {"one error line, and leave", {SCMP_SYS(lseek), SCMP_SYS(write), SCMP_SYS(exit_group)}},
};

constexpr Allow privd_load_bpf[] = {
    {"create maps, load and attach programs", {SCMP_SYS(bpf)}},
    {"libbpf reads the kernel's BTF and number of CPUs", {SCMP_SYS(openat), SCMP_SYS(read),
     SCMP_SYS(pread64), SCMP_SYS(fstat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2)}},
    {"libbpf keeps fds above 2, reserves those of maps", {SCMP_SYS(fcntl), SCMP_SYS(dup3)}},
    {"libbpf asks for the version, its qsort() for the memory", {SCMP_SYS(uname), SCMP_SYS(sysinfo)}},
    {"libbpf raises RLIMIT_MEMLOCK before 5.11, where privd already has; and words an EPERM",
     {SCMP_SYS(prlimit64), SCMP_SYS(geteuid)}},
};

constexpr Allow privd_load_classic[] = {
    {"a perf buffer for each CPU", {SCMP_SYS(perf_event_open)}},
    {"the door, later: a second list only narrows the first", {SCMP_SYS(openat2)}},
};

constexpr Allow privd_load_module[] = {
    {"make a session, take its descriptors", {SCMP_SYS(ioctl)}, Only::of_the_module},
};

constexpr Allow privd_steady[] = {
    {"hand fds over, the door's requests and answers", {SCMP_SYS(sendmsg), SCMP_SYS(recvmsg)}},
    {"release fds and memory", {SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(brk)}},
    {"glibc looks what stderr is before the error line", {SCMP_SYS(newfstatat)}, Only::empty_path},
    {"and where its end is", {SCMP_SYS(lseek)}},
    {"one error line, and leave", {SCMP_SYS(write), SCMP_SYS(exit_group)}},
};

constexpr Allow privd_steady_classic[] = {
    {"the door opens files of /proc", {SCMP_SYS(openat2)}},
};
// clang-format on

// Several lists as one.
template <std::size_t... N>
constexpr auto joined(const Allow (&... list)[N]) {
    std::array<Allow, (N + ...)> all{};
    Allow* to = all.data();
    ((to = std::copy_n(list, N, to)), ...);
    return all;
}

} // namespace tiercel::policy
