// SPDX-License-Identifier: Apache-2.0
// The compiled filters are exported and interpreted here, as the kernel would (net/core/filter.c),
// for every syscall number of three ABIs and many arguments.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "kernel/module/uapi.h"
#include "policy/privilege/analyzer_syscalls.h"
#include "policy/privilege/courier_syscalls.h"
#include "policy/privilege/enricher_syscalls.h"
#include "policy/privilege/helper_syscalls.h"
#include "policy/privilege/keeper_syscalls.h"
#include "policy/privilege/privd_syscalls.h"
#include "policy/privilege/pull_syscalls.h"

using namespace tiercel;
using namespace tiercel::policy;

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64, kForeign = AUDIT_ARCH_I386;
#else
constexpr std::uint32_t native = AUDIT_ARCH_AARCH64, foreign = AUDIT_ARCH_ARM;
#endif
constexpr int kX32Bit = 0x40000000;

std::vector<sock_filter> compile(std::span<const Allow> list, Refused refused = Refused::kill) {
    int fd = memfd_create("filter", 0);
    scmp_filter_ctx filter = make_filter(list, refused);
    REQUIRE(filter);
    REQUIRE(seccomp_export_bpf(filter, fd) == 0);
    seccomp_release(filter);
    off_t bytes = lseek(fd, 0, SEEK_END);
    std::vector<sock_filter> program(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
    REQUIRE(pread(fd, program.data(), static_cast<std::size_t>(bytes), 0) == bytes);
    close(fd);
    return program;
}

// The few instructions that libseccomp makes; any other fails the test.
std::uint32_t run(const std::vector<sock_filter>& program, const seccomp_data& data) {
    std::uint32_t a = 0;
    for (std::size_t pc = 0; pc < program.size(); ++pc) {
        const sock_filter& op = program[pc];
        bool taken = false;
        switch (op.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            REQUIRE(op.k + 4 <= sizeof data);
            std::memcpy(&a, reinterpret_cast<const char*>(&data) + op.k, 4);
            continue;
        case BPF_ALU | BPF_AND | BPF_K: a &= op.k; continue;
        case BPF_JMP | BPF_JA: pc += op.k; continue;
        case BPF_JMP | BPF_JEQ | BPF_K: taken = a == op.k; break;
        case BPF_JMP | BPF_JGT | BPF_K: taken = a > op.k; break;
        case BPF_JMP | BPF_JGE | BPF_K: taken = a >= op.k; break;
        case BPF_JMP | BPF_JSET | BPF_K: taken = a & op.k; break;
        case BPF_RET | BPF_K: return op.k;
        default: FAIL("unknown instruction " << op.code);
        }
        pc += taken ? op.jt : op.jf;
    }
    FAIL("the filter does not return");
    return 0;
}

std::uint32_t verdict(const std::vector<sock_filter>& program, std::uint32_t arch, int number,
                      std::initializer_list<std::uint64_t> arguments = {}) {
    seccomp_data data{};
    data.arch = arch;
    data.nr = number;
    std::copy(arguments.begin(), arguments.end(), data.args);
    return run(program, data);
}

bool allowed(const std::vector<sock_filter>& program, std::uint32_t arch, int number,
             std::initializer_list<std::uint64_t> arguments = {}) {
    std::uint32_t answer = verdict(program, arch, number, arguments);
    CHECK((answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_KILL_PROCESS));
    return answer == SECCOMP_RET_ALLOW;
}

struct List {
    const char* name;
    std::span<const Allow> rules;
};
// As each driver's program of privd/ puts them together.
constexpr auto kModernLoad = joined(kPrivdLoad, kPrivdLoadBpf);
constexpr auto kClassicLoad = joined(kPrivdLoad, kPrivdLoadBpf, kPrivdLoadClassic);
constexpr auto kModuleLoad = joined(kPrivdLoad, kPrivdLoadModule);
constexpr auto kClassicSteady = joined(kPrivdSteady, kPrivdSteadyClassic);

const List kLists[] = {{"modern, load", kModernLoad},       {"classic, load", kClassicLoad},
                       {"module, load", kModuleLoad},       {"privd, steady", kPrivdSteady},
                       {"classic, steady", kClassicSteady}, {"analyzer", kAnalyzerSteady},
                       {"enricher", kEnricherSteady},       {"keeper", kKeeperSteady},
                       {"helper", kHelperSteady},           {"names", kNamesSteady},
                       {"connector", kConnectorSteady},     {"courier", kCourierSteady},
                       {"unpacking of rules", kUnpack}};

} // namespace

TEST_CASE("what is on a list is allowed, everything else kills, of every ABI") {
    for (const List& list : kLists) {
        CAPTURE(list.name);
        auto program = compile(list.rules);
        std::map<int, Only> on;
        for (const Allow& rule : list.rules)
            for (int call : rule.calls)
                on.emplace(call, rule.only);
        for (int number = -2; number < 1100; ++number) {
            CAPTURE(number);
            auto found = on.find(number);
            bool plain = found != on.end() && found->second == Only::anything;
            for (std::uint64_t argument : {0ul, 1ul, ~0ul})
                if (found == on.end() || plain)
                    CHECK(allowed(program, kNative, number,
                                  {argument, argument, argument, argument}) == plain);
            CHECK_FALSE(allowed(program, kForeign, number));
            CHECK_FALSE(allowed(program, kNative, number | kX32Bit));
        }
        CHECK_FALSE(allowed(program, 0, SYS_write));
        CHECK(on.contains(SYS_exit_group));
    }
}

TEST_CASE("memory is never executable") {
    for (std::span<const Allow> list :
         {std::span<const Allow>(kClassicLoad), std::span<const Allow>(kAnalyzerSteady)}) {
        auto program = compile(list);
        for (int number : {SYS_mmap, SYS_mprotect})
            for (std::uint64_t protection = 0; protection < 16; ++protection)
                for (std::uint64_t high : {0ul, 1ul << 32})
                    CHECK(allowed(program, kNative, number,
                                  {0, 4096, protection | high, MAP_PRIVATE}) ==
                          !(protection & PROT_EXEC));
        CHECK_FALSE(allowed(program, kNative, SYS_pkey_mprotect, {0, 4096, PROT_EXEC, 0}));
    }
    CHECK_FALSE(allowed(compile(kPrivdSteady), kNative, SYS_mmap, {0, 4096, PROT_READ}));
}

TEST_CASE("stat is of an fd, prctl fails, signals are to oneself") {
    auto program = compile(kAnalyzerSteady);
    CHECK(allowed(program, kNative, SYS_fstat, {3, 0}));
    // With AT_EMPTY_PATH the call would still stat any path; stdio can live with an error.
    for (std::uint64_t flags : {0ul, std::uint64_t{AT_EMPTY_PATH}})
        CHECK(verdict(program, kNative, SYS_newfstatat, {3, 0, 0, flags}) ==
              (SECCOMP_RET_ERRNO | EPERM));
    // RE2 locks by abseil, whose allocator gives each new area a name and ignores the answer.
    CHECK(verdict(program, kNative, SYS_prctl, {PR_SET_VMA, PR_SET_VMA_ANON_NAME}) ==
          (SECCOMP_RET_ERRNO | EPERM));
    auto self = static_cast<std::uint64_t>(getpid());
    CHECK(allowed(program, kNative, SYS_tgkill, {self, self, 6}));
    CHECK_FALSE(allowed(program, kNative, SYS_tgkill, {self + 1, self + 1, 6}));
    CHECK_FALSE(allowed(program, kNative, SYS_tgkill, {self | 1ull << 32, self, 6}));
}

TEST_CASE("what must never be on the analyzer's list is not") {
    auto program = compile(kAnalyzerSteady);
    for (int number :
         {SYS_openat, SYS_openat2, SYS_socket, SYS_connect, SYS_bind, SYS_execve, SYS_execveat,
          SYS_clone, SYS_clone3, SYS_ptrace, SYS_bpf, SYS_ioctl, SYS_perf_event_open, SYS_setuid,
          SYS_capset, SYS_kill, SYS_process_vm_readv, SYS_io_uring_setup, SYS_seccomp})
        CHECK_FALSE(allowed(program, kNative, number));
}

TEST_CASE("with an alert file openat appends and can do nothing else") {
    std::vector<Allow> list(std::begin(kAnalyzerSteady), std::end(kAnalyzerSteady));
    list.insert(list.end(), std::begin(kAnalyzerAlertFile), std::end(kAnalyzerAlertFile));
    auto program = compile(list);
    constexpr std::uint64_t kDirectory = 5, kMode = 0640;
    CHECK(allowed(program, kNative, SYS_openat, {kDirectory, 0, kReopenFlags, kMode}));
    for (std::uint64_t flags :
         {std::uint64_t{O_RDONLY}, std::uint64_t{O_WRONLY}, std::uint64_t{kReopenFlags | O_TRUNC},
          std::uint64_t{(kReopenFlags & ~O_WRONLY) | O_RDWR},
          kReopenFlags | std::uint64_t{1} << 32})
        CHECK_FALSE(allowed(program, kNative, SYS_openat, {kDirectory, 0, flags, kMode}));
#ifdef SYS_open // arm64 has openat alone
    CHECK_FALSE(allowed(program, kNative, SYS_open, {0, kReopenFlags, kMode}));
#endif
    for (std::uint64_t other : {0ul, 0666ul, 04640ul, 0777ul})
        CHECK_FALSE(allowed(program, kNative, SYS_openat, {kDirectory, 0, kReopenFlags, other}));
}

TEST_CASE("only with captures that have names may files be renamed") {
    std::vector<Allow> list(std::begin(kAnalyzerSteady), std::end(kAnalyzerSteady));
    CHECK_FALSE(allowed(compile(list), kNative, SYS_renameat));
    list.insert(list.end(), std::begin(kAnalyzerNamedCaptures), std::end(kAnalyzerNamedCaptures));
    const auto program = compile(list);
    CHECK(allowed(program, kNative, SYS_renameat));
    for (int number : {SYS_renameat2, SYS_unlinkat, SYS_linkat, SYS_openat})
        CHECK_FALSE(allowed(program, kNative, number));
}

TEST_CASE("the analyzer's helpers open files for reading, and make none") {
    auto program = compile(kHelperSteady);
    for (std::uint64_t flags :
         {std::uint64_t{O_RDONLY}, std::uint64_t{O_RDONLY | O_CLOEXEC | O_DIRECTORY}})
        CHECK(allowed(program, kNative, SYS_openat, {0, 0, flags, 0}));
    for (int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC, O_RDWR | O_TMPFILE})
        CHECK_FALSE(
            allowed(program, kNative, SYS_openat, {0, 0, static_cast<std::uint64_t>(flags), 0}));
    for (int number : {SYS_openat2, SYS_socket, SYS_connect, SYS_sendto, SYS_sendmsg, SYS_execve,
                       SYS_clone, SYS_ptrace, SYS_kill, SYS_prctl})
        CHECK_FALSE(allowed(program, kNative, number));
}

TEST_CASE("the helper for names has Unix sockets, and other calls fail") {
    auto program = compile(kNamesSteady);
    CHECK(allowed(program, kNative, SYS_socket, {AF_UNIX}));
    CHECK_FALSE(allowed(program, kNative, SYS_socket, {AF_INET}));
    for (int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT})
        CHECK_FALSE(
            allowed(program, kNative, SYS_openat, {0, 0, static_cast<std::uint64_t>(flags), 0}));
    constexpr std::uint64_t kBoth = PROT_WRITE | PROT_EXEC;
    for (std::uint64_t protection = 0; protection < 16; ++protection) {
        CHECK(allowed(program, kNative, SYS_mmap, {0, 4096, protection, MAP_PRIVATE}) ==
              ((protection & kBoth) != kBoth));
        CHECK(allowed(program, kNative, SYS_mprotect, {0, 4096, protection}) ==
              !(protection & PROT_EXEC));
    }
    for (int number : {SYS_execve, SYS_clone, SYS_ptrace, SYS_kill, SYS_prctl, SYS_bind})
        CHECK_FALSE(allowed(program, kNative, number));
    auto failing = compile(kNamesSteady, Refused::fail);
    CHECK(verdict(failing, kNative, SYS_execve) == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(allowed(failing, kNative, SYS_connect));
}

TEST_CASE("the courier has the network, and starts, traces and loads nothing") {
    auto program = compile(kCourierSteady);
    for (const int domain : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
        CHECK(allowed(program, kNative, SYS_socket, {static_cast<std::uint64_t>(domain)}));
    for (const int domain : {AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_KEY, AF_XDP})
        CHECK_FALSE(allowed(program, kNative, SYS_socket, {static_cast<std::uint64_t>(domain)}));
    for (int number : {SYS_execve, SYS_execveat, SYS_vfork, SYS_listen, SYS_ptrace, SYS_bpf,
                       SYS_kill, SYS_mount, SYS_unshare, SYS_setns, SYS_setuid, SYS_chmod,
                       SYS_unlink, SYS_io_uring_setup, SYS_process_vm_readv})
        CHECK_FALSE(allowed(program, kNative, number));
}

TEST_CASE("a connector has Unix sockets, and no file") {
    auto program = compile(kConnectorSteady);
    CHECK(allowed(program, kNative, SYS_socket, {AF_UNIX}));
    CHECK_FALSE(allowed(program, kNative, SYS_socket, {AF_INET}));
    for (int number : {SYS_openat, SYS_execve, SYS_clone, SYS_clone3, SYS_ptrace, SYS_recvmsg,
                       SYS_bind, SYS_listen, SYS_sendto, SYS_kill})
        CHECK_FALSE(allowed(program, kNative, number));
}

TEST_CASE("neither the analyzer nor the enricher sends to an address, or a descriptor") {
    for (std::span<const Allow> list :
         {std::span<const Allow>(kAnalyzerSteady), std::span<const Allow>(kEnricherSteady)}) {
        auto program = compile(list);
        CHECK(allowed(program, kNative, SYS_sendto, {4, 1, 1, MSG_NOSIGNAL, 0, 0}));
        for (std::uint64_t address : {1ul, 1ul << 32, ~0ul})
            CHECK_FALSE(allowed(program, kNative, SYS_sendto, {4, 1, 1, 0, address, 16}));
        for (int number : {SYS_sendmsg, SYS_sendmmsg})
            CHECK_FALSE(allowed(program, kNative, number));
    }
}

TEST_CASE("of bpf(2) privd has the commands that a load needs") {
    auto program = compile(kModernLoad);
    for (int command : {BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_LINK_CREATE, BPF_ITER_CREATE})
        CHECK(allowed(program, kNative, SYS_bpf, {static_cast<std::uint64_t>(command)}));
    for (int command : {BPF_OBJ_PIN, BPF_OBJ_GET, BPF_PROG_ATTACH, BPF_PROG_TEST_RUN,
                        BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_MAP_GET_NEXT_KEY,
                        BPF_LINK_UPDATE, BPF_LINK_DETACH, BPF_ENABLE_STATS, BPF_TASK_FD_QUERY})
        CHECK_FALSE(allowed(program, kNative, SYS_bpf, {static_cast<std::uint64_t>(command)}));
}

TEST_CASE("a refused call is reported by a handler, and the handler's last call kills") {
    int fd = memfd_create("filter", 0);
    scmp_filter_ctx filter = make_filter(kModernLoad, Refused::report);
    REQUIRE(filter);
    REQUIRE(seccomp_export_bpf(filter, fd) == 0);
    seccomp_release(filter);
    std::vector<sock_filter> program(static_cast<std::size_t>(lseek(fd, 0, SEEK_END)) /
                                     sizeof(sock_filter));
    REQUIRE(pread(fd, program.data(), program.size() * sizeof(sock_filter), 0) > 0);
    close(fd);
    CHECK(verdict(program, kNative, SYS_socket) == SECCOMP_RET_TRAP);
    CHECK(verdict(program, kNative, SYS_kill) == SECCOMP_RET_KILL_PROCESS);
    CHECK(verdict(program, kForeign, SYS_write) == SECCOMP_RET_KILL_PROCESS);
}

TEST_CASE("a process that its filter ends says which call was refused") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        report_refused_calls("victim");
        static constexpr Allow kFew[] = {
            {"leave", {SCMP_SYS(write), SCMP_SYS(exit_group), SCMP_SYS(brk)}}};
        if (!allow_only(kFew, Refused::report))
            _exit(1);
        syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
        _exit(2);
    }
    close(ends[1]);
    char text[256] = {};
    std::size_t used = 0;
    for (ssize_t got; (got = read(ends[0], text + used, sizeof text - 1 - used)) > 0;)
        used += static_cast<std::size_t>(got);
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGSYS);
    CHECK(std::string(text) == "victim: killed by its seccomp filter: system call " +
                                   std::to_string(SYS_socket) + " (socket)\n");
}

TEST_CASE("after the hand-over privd can load nothing") {
    auto program = compile(kPrivdSteady);
    for (int number :
         {SYS_bpf, SYS_accept4, SYS_openat, SYS_prctl, SYS_capset, SYS_execve, SYS_socket})
        CHECK_FALSE(allowed(program, kNative, number));
    // The second list narrows the first: what only it has would never be allowed.
    const std::pair<std::span<const Allow>, std::span<const Allow>> pairs[] = {
        {kModernLoad, kPrivdSteady}, {kModuleLoad, kPrivdSteady}, {kClassicLoad, kClassicSteady}};
    for (const auto& [load, steady] : pairs)
        for (const Allow& rule : steady)
            for (int call : rule.calls)
                CHECK(allowed(compile(load), kNative, call, {0, 0, 0, 0, 0}));
}

TEST_CASE("the door can only read") {
    auto program = compile(kClassicSteady);
    CHECK(allowed(program, kNative, SYS_openat, {0, 0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0}));
    for (int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_RDONLY | O_TRUNC})
        CHECK_FALSE(
            allowed(program, kNative, SYS_openat, {0, 0, static_cast<std::uint64_t>(flags), 0}));
    CHECK_FALSE(allowed(program, kNative, SYS_openat2));
}

TEST_CASE("of a driver's calls the others have none") {
    for (int number : {SYS_bpf, SYS_openat, SYS_openat2, SYS_perf_event_open})
        CHECK_FALSE(allowed(compile(kModuleLoad), kNative, number));
    for (int number : {SYS_openat2, SYS_perf_event_open, SYS_ioctl})
        CHECK_FALSE(allowed(compile(kModernLoad), kNative, number));
    auto module = compile(kModuleLoad);
    CHECK(allowed(module, kNative, SYS_ioctl, {5, TIERCEL_IOC_START}));
    CHECK(allowed(module, kNative, SYS_ioctl, {5, TIERCEL_IOC_FD}));
    for (unsigned long request :
         std::initializer_list<unsigned long>{TCGETS, TIOCSTI, FIONREAD, FIOCLEX})
        CHECK_FALSE(allowed(module, kNative, SYS_ioctl, {5, request}));
}

TEST_CASE("every rule has a reason") {
    for (const List& list : kLists)
        for (const Allow& rule : list.rules) {
            CHECK(std::strlen(rule.why) > 0);
            CHECK(rule.calls.size() > 0);
        }
}

TEST_CASE("the enricher makes Unix sockets alone") {
    const auto program = compile(kEnricherSteady);
    for (std::uint64_t domain = 0; domain < 64; ++domain)
        CHECK(allowed(program, kNative, SYS_socket, {domain, SOCK_STREAM, 0}) ==
              (domain == AF_UNIX));
}
