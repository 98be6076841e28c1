// SPDX-License-Identifier: Apache-2.0
//
// The system calls of privd, by phase: those of the load before the first byte of a peer is read,
// and the steady ones, on top of that, from the hand-over on. Each driver's program has what all
// need and its own. The lists hold for libbpf 1.1 to 1.6 and glibc 2.36 to 2.42; the live tests run
// under them.
#pragma once

#include <algorithm>
#include <array>

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kPrivdLoad[] = {
    {"take a peer, see who it is, limit its time", {SCMP_SYS(accept4), SCMP_SYS(getsockopt),
     SCMP_SYS(setsockopt)}},
    {"receive a request, answer, hand fds over", {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg)}},
    {"answer without fds", {SCMP_SYS(sendto)}, Only::connected},
    {"memory", {SCMP_SYS(mmap), SCMP_SYS(mprotect)}, Only::not_executable},
    {"memory", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(getrandom)}},
    {"release fds", {SCMP_SYS(close)}},
    {"the load's duration, where the vDSO cannot tell", {SCMP_SYS(clock_gettime)}},
    {"the next phase: fewer capabilities, fewer calls", {SCMP_SYS(capget), SCMP_SYS(capset),
     SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(getpid)}},
    {"one error line, and leave", {SCMP_SYS(write), SCMP_SYS(exit_group)}},
};

constexpr Allow kPrivdLoadBpf[] = {
    {"create maps, load and attach programs", {SCMP_SYS(bpf)}, Only::bpf_commands},
    {"libbpf reads the kernel's types and number of CPUs", {SCMP_SYS(openat), SCMP_SYS(read),
     SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2)}},
    {"stdio's fstat(), which can do without; it would be stat of any path", {SCMP_SYS(newfstatat)}, Only::failing},
    {"libbpf keeps fds above 2, reserves those of maps (from 1.4 on by a file in memory)", {SCMP_SYS(fcntl),
     SCMP_SYS(dup3), SCMP_SYS(memfd_create)}},
    {"libbpf asks for the version, its qsort() for the memory", {SCMP_SYS(uname), SCMP_SYS(sysinfo)}},
    {"libbpf raises RLIMIT_MEMLOCK before 5.11, where privd already has; and words an EPERM",
     {SCMP_SYS(prlimit64), SCMP_SYS(geteuid)}},
};

constexpr Allow kPrivdLoadClassic[] = {
    {"a perf buffer for each CPU", {SCMP_SYS(perf_event_open)}},
    {"the door, later: a second list only narrows the first", {SCMP_SYS(openat)}, Only::reading},
    {"and its links", {SCMP_SYS(readlink), SCMP_SYS(readlinkat)}},
};

constexpr Allow kPrivdLoadModule[] = {
    {"make a session, take its descriptors", {SCMP_SYS(ioctl)}, Only::of_the_module},
};

// Besides start_syscalls.h's and the load's, in a loader that waits to be asked before it runs
// privd-types: what the dynamic loader of that program needs and the load does not.
constexpr Allow kPrivdWait[] = {
    {"the code of privd-types", {SCMP_SYS(mmap), SCMP_SYS(mprotect)}},
    {"its libraries", {SCMP_SYS(openat), SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
     SCMP_SYS(prlimit64)}},
};

constexpr Allow kPrivdSteady[] = {
    {"hand fds over, the door's requests and answers", {SCMP_SYS(sendmsg), SCMP_SYS(recvmsg)}},
    {"answer without fds", {SCMP_SYS(sendto)}, Only::connected},
    {"release fds and memory", {SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(brk)}},
    {"one error line, and leave", {SCMP_SYS(write), SCMP_SYS(exit_group)}},
};

constexpr Allow kPrivdSteadyClassic[] = {
    {"the door opens files of /proc", {SCMP_SYS(openat)}, Only::reading},
    {"and reads where its links lead", {SCMP_SYS(readlink), SCMP_SYS(readlinkat)}},
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
