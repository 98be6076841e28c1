// SPDX-License-Identifier: Apache-2.0
//
// sandbox_victim ATTEMPT: as root takes the account nobody, enters the analyzer's sandbox and tries
// what ATTEMPT names. Exit codes: 0 the attempt went through (or, of "control", everything that has
// to work did), 3 the sandbox could not be entered, 4 the attempt failed by itself, 5 no such
// attempt. A sandbox that works ends it by SIGSYS instead.
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "analyzer/service/sandbox.h"

namespace {

int socket_before = -1; // opened before the sandbox
char page[4096];

long executable_memory() {
    return reinterpret_cast<long>(
        mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
long executable_later() {
    void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}
long connect_before() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/run/x");
    return connect(socket_before, reinterpret_cast<sockaddr*>(&address), sizeof address);
}
long send_to_address() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/run/x");
    return sendto(socket_before, "x", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
}
long exec_shell() {
    char* const arguments[] = {const_cast<char*>("true"), nullptr};
    return execv("/bin/true", arguments);
}
long i386_call() {
#if defined(__x86_64__)
    long result = 0;
    asm volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory"); // getpid of i386
    return result;
#else
    return syscall(SYS_getuid);
#endif
}
long x32_call() {
#if defined(__x86_64__)
    return syscall(0x40000000 | SYS_getpid); // the filter sees it even where the kernel has no x32
#else
    return syscall(SYS_getuid);
#endif
}

struct Attempt {
    const char* name;
    long (*run)();
};
constexpr Attempt kAttempts[] = {
    {"open", [] { return long{open("/etc/passwd", O_RDONLY)}; }},
    {"openat2", [] { return syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0); }},
    {"creat", [] { return long{creat("/tmp/x", 0600)}; }},
    {"unlink", [] { return long{unlink("/tmp/nothing")}; }},
    {"rename", [] { return long{rename("/tmp/nothing", "/tmp/x")}; }},
    {"readlink", [] { return long{readlink("/proc/self/exe", page, sizeof page)}; }},
    {"stat", [] { return syscall(SYS_newfstatat, AT_FDCWD, "/etc", page, 0); }},
    {"socket", [] { return long{socket(AF_INET, SOCK_STREAM, 0)}; }},
    {"connect", connect_before},
    {"sendto an address", send_to_address},
    {"execve", exec_shell},
    {"execveat", [] { return syscall(SYS_execveat, 0, "", nullptr, nullptr, AT_EMPTY_PATH); }},
    {"fork", [] { return long{fork()}; }},
    {"clone3", [] { return syscall(SYS_clone3, page, 64); }},
    {"ptrace", [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"process_vm_readv",
     [] { return long{process_vm_readv(getppid(), nullptr, 0, nullptr, 0, 0)}; }},
    {"bpf", [] { return syscall(SYS_bpf, BPF_MAP_CREATE, page, 72); }},
    {"perf_event_open", [] { return syscall(SYS_perf_event_open, page, 0, -1, -1, 0); }},
    {"ioctl", [] { return long{ioctl(0, FIONREAD, page)}; }},
    {"prctl", [] { return long{prctl(PR_SET_DUMPABLE, 1)}; }},
    {"setrlimit", [] { return syscall(SYS_prlimit64, 0, 0, nullptr, page); }},
    {"kill", [] { return syscall(SYS_kill, 1, 0); }},
    {"tgkill of another", [] { return syscall(SYS_tgkill, 1, 1, 0); }},
    {"setuid", [] { return long{setuid(0)}; }},
    {"unshare", [] { return syscall(SYS_unshare, 0x10000000); }},
    {"mount", [] { return syscall(SYS_mount, "", "/", "", 0, nullptr); }},
    {"memfd_create", [] { return syscall(SYS_memfd_create, "x", 0); }},
    {"io_uring_setup", [] { return syscall(SYS_io_uring_setup, 1, page); }},
    {"userfaultfd", [] { return syscall(SYS_userfaultfd, 0); }},
    {"keyctl", [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
    {"executable memory", executable_memory},
    {"memory made executable", executable_later},
    {"a call by an x32 number", x32_call},
    {"a call by an i386 number", i386_call},
};

// What the analyzer goes on doing has to work.
bool control(int epoll, const int (&pipe_ends)[2]) {
    epoll_event event{};
    void* memory =
        mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return write(pipe_ends[1], "x", 1) == 1 && read(pipe_ends[0], page, 1) == 1 &&
           epoll_wait(epoll, &event, 1, 0) == 0 && memory != MAP_FAILED &&
           munmap(memory, 1 << 20) == 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return 5;
    if (std::strcmp(argv[1], "i386 without a sandbox") == 0)
        return i386_call() < 0 ? 4 : 0;
    if (getuid() == 0 &&
        (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0))
        return 3;
    socket_before = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0)
        return 3;
    if (auto entered = tiercel::app::enter_sandbox({}); !entered) {
        tiercel::os::print("sandbox_victim", entered.error(), "");
        return 3;
    }
    if (std::strcmp(argv[1], "control") == 0)
        return control(epoll, pipe_ends) ? 0 : 4;
    if (std::strcmp(argv[1], "abort") == 0)
        std::abort();
    for (const Attempt& attempt : kAttempts)
        if (std::strcmp(argv[1], attempt.name) == 0)
            return attempt.run() < 0 ? 4 : 0;
    return 5;
}
