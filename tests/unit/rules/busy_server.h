// SPDX-License-Identifier: Apache-2.0
//
// What a busy server does, for benchmarks: who runs, what they touch, and how often each event
// comes.
#pragma once

namespace tiercel::busy_server {

inline constexpr const char* kPrograms[] = {"nginx",   "bash", "python3", "postgres",
                                            "cc1plus", "sshd", "node",    "cat"};
inline constexpr const char* kFiles[] = {"/etc/passwd",
                                         "/usr/lib/x86_64-linux-gnu/libc.so.6",
                                         "/proc/self/status",
                                         "/var/log/nginx/access.log",
                                         "/tmp/build/obj/main.o",
                                         "/home/user/.cache/x",
                                         "/usr/include/c++/12/bits/stl_vector.h",
                                         "/dev/null"};

// How often each type comes in a hundred events.
struct Share {
    const char* type;
    unsigned percent;
};
inline constexpr Share kShares[] = {
    {"read", 25}, {"write", 18},     {"openat", 15}, {"close", 15}, {"futex", 8}, {"fstat", 5},
    {"mmap", 5},  {"epoll_wait", 5}, {"connect", 2}, {"clone", 1},  {"execve", 1}};

} // namespace tiercel::busy_server
