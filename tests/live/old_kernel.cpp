// SPDX-License-Identifier: Apache-2.0
//
// Runs a program as on a kernel before 5.1 as far as the ptrace driver notices: a seccomp filter
// refuses PTRACE_GET_SYSCALL_INFO (5.3) with EIO and F_SEAL_FUTURE_WRITE (5.1) with EINVAL, as such
// a kernel does.
//
// Usage: old_kernel PROGRAM [ARGUMENT]...
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

namespace {

constexpr unsigned kNumber = offsetof(seccomp_data, nr);

// The lower half of an argument; both supported machines are little-endian.
constexpr unsigned argument(unsigned index) {
    return static_cast<unsigned>(offsetof(seccomp_data, args)) + 8 * index;
}

} // namespace

int main(int argc, char** argv) {
    constexpr unsigned kRefuse = SECCOMP_RET_ERRNO;
    sock_filter program[] = {
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
    const sock_fprog filter{sizeof program / sizeof *program, program};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        std::perror("old_kernel");
        return 2;
    }
    execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    return 127;
}
