// SPDX-License-Identifier: Apache-2.0
//
// Runs a program as on an older kernel, as far as a driver notices: a seccomp filter refuses what
// the kernel lacks, as such a kernel does.
//
// Usage: old_kernel ptrace|openat2 PROGRAM [ARGUMENT]...
//
// ptrace: without PTRACE_GET_SYSCALL_INFO (5.3; EIO) and F_SEAL_FUTURE_WRITE (5.1; EINVAL).
// openat2: without that call (5.6; ENOSYS).
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace {

constexpr unsigned kNumber = offsetof(seccomp_data, nr);

// The lower half of an argument; both supported machines are little-endian.
constexpr unsigned argument(unsigned index) {
    return static_cast<unsigned>(offsetof(seccomp_data, args)) + 8 * index;
}

} // namespace

int main(int argc, char** argv) {
    constexpr unsigned kRefuse = SECCOMP_RET_ERRNO;
    sock_filter without_openat2[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kRefuse | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_filter without_ptrace[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_GET_SYSCALL_INFO, 0, 7),
        BPF_STMT(BPF_RET | BPF_K, kRefuse | EIO),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_ADD_SEALS, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, F_SEAL_FUTURE_WRITE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kRefuse | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const bool openat2 = argc > 1 && std::strcmp(argv[1], "openat2") == 0;
    const sock_fprog filter = openat2 ? sock_fprog{std::size(without_openat2), without_openat2}
                                      : sock_fprog{std::size(without_ptrace), without_ptrace};
    if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        std::perror("old_kernel");
        return 2;
    }
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    return 127;
}
