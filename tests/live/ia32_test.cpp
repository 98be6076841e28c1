// SPDX-License-Identifier: Apache-2.0
// 32-bit callers on x86-64: i386's own calls, its structures, socketcall; and x32 numbers.
#ifdef __x86_64__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/live/harness/endpoints.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

// Whether the kernel takes int 0x80: where it does not, the call is a fault.
bool has_ia32() {
    static const bool kHas = [] {
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL);
            _exit(raw_call32(20 /* getpid */, 0, 0, 0, 0, 0, 0) > 0 ? 0 : 1);
        }
        int status = 0;
        return waitpid(child, &status, 0) == child && status == 0;
    }();
    return kHas;
}

long ia32(std::string_view name) {
    return find_syscall(name)->i386;
}

// A bump allocator below 4 GiB for what 32-bit calls point to; made anew in each body.
char* low = nullptr;
std::uint32_t place(const void* data, std::size_t size) {
    if (!low)
        low = static_cast<char*>(low_memory(65536));
    std::memcpy(low, data, size);
    const auto address = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(low));
    low += (size + 15) / 16 * 16;
    return address;
}
std::uint32_t place(const char* text) {
    return place(text, std::strlen(text) + 1);
}
template <typename... Numbers>
std::uint32_t place_array(Numbers... numbers) {
    const std::uint32_t array[] = {static_cast<std::uint32_t>(numbers)...};
    return place(array, sizeof array);
}

constexpr Ip4 kServer4{"127.0.0.1", 47331}, kClient4{"127.0.0.2", 47332};

} // namespace

#define NEED_IA32(...)                                                                             \
    if (!has_ia32())                                                                               \
    LIVE_SKIP("the kernel runs no 32-bit programs" __VA_OPT__(, ) __VA_ARGS__)

LIVE_TEST(SYSCALL_STAT64_X) {
    NEED_IA32(SYSCALL_STAT64_X);
    Run run([] {
        call32(ia32("stat64"), place("/tmp"),
               place_array(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                           0, 0));
        call32(ia32("stat64"), place("missing"), 0);
    });
    run.expect(SYSCALL_STAT64_X, {{"res", 0}, {"path", "/tmp"}});
    run.expect(SYSCALL_STAT64_X, {{"res", -ENOENT}, {"path", "missing"}});
}

LIVE_TEST(SYSCALL_LSTAT64_X) {
    NEED_IA32(SYSCALL_LSTAT64_X);
    Run run([] {
        call32(ia32("lstat64"), place("/proc"),
               place_array(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                           0, 0));
        call32(ia32("lstat64"), place("missing"), 0);
    });
    run.expect(SYSCALL_LSTAT64_X, {{"res", 0}, {"path", "/proc"}});
    run.expect(SYSCALL_LSTAT64_X, {{"res", -ENOENT}, {"path", "missing"}});
}

LIVE_TEST(SYSCALL_FSTAT64_X) {
    NEED_IA32(SYSCALL_FSTAT64_X);
    Run run([] {
        call32(ia32("fstat64"), 1,
               place_array(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                           0, 0));
        call32(ia32("fstat64"), -1, 0);
    });
    run.expect(SYSCALL_FSTAT64_X, {{"res", 0}});
    run.expect(SYSCALL_FSTAT64_X, {{"res", -EBADF}});
}

LIVE_TEST(SYSCALL_LLSEEK_X) {
    NEED_IA32(SYSCALL_LLSEEK_X);
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        call32(ia32("_llseek"), note_of(0), 1, 5, place_array(0, 0), SEEK_SET);
        call32(ia32("_llseek"), -1, 0, 6, 0, SEEK_END);
    });
    run.expect(SYSCALL_LLSEEK_X,
               {{"res", 0}, {"fd", run.note(0)}, {"offset", (1L << 32) + 5}, {"whence", 0}});
    run.expect(SYSCALL_LLSEEK_X, {{"res", -EBADF}, {"fd", -1}, {"offset", 6}, {"whence", 2}});
}

LIVE_TEST(SYSCALL_MMAP2_X) {
    NEED_IA32(SYSCALL_MMAP2_X);
    const Condition some_kib = between(100, 1U << 30);
    Run run([] {
        call32(ia32("mmap2"), 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        call32(ia32("mmap2"), 0x1000, 4096, PROT_READ, MAP_SHARED, 77, 3);
    });
    run.expect(SYSCALL_MMAP2_X, {{"res", static_cast<std::uint32_t>(run.result(0))},
                                 {"vm_size", some_kib},
                                 {"vm_rss", some_kib},
                                 {"vm_swap", at_least(0)},
                                 {"addr", 0},
                                 {"length", 8192},
                                 {"prot", 3},
                                 {"flags", 2 | 8},
                                 {"fd", -1},
                                 {"pgoffset", 0}});
    run.expect(SYSCALL_MMAP2_X, {{"res", -EBADF},
                                 {"vm_size", some_kib},
                                 {"vm_rss", some_kib},
                                 {"vm_swap", at_least(0)},
                                 {"addr", 0x1000},
                                 {"length", 4096},
                                 {"prot", 1},
                                 {"flags", 1},
                                 {"fd", 77},
                                 {"pgoffset", 3}});
}

LIVE_TEST(SYSCALL_UMOUNT_1_X) {
    NEED_IA32(SYSCALL_UMOUNT_1_X);
    Run run([] {
        note(0, unshare(CLONE_NEWNS) == 0 &&
                    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    mkdir("point", 0755) == 0 &&
                    mount("source", "point", "tmpfs", 0, nullptr) == 0);
        call32(ia32("umount"), place("point"));
        call32(ia32("umount"), place("missing"));
    });
    if (!run.note(0))
        LIVE_SKIP("no mount namespace can be made", SYSCALL_UMOUNT_1_X);
    run.expect(SYSCALL_UMOUNT_1_X, {{"res", 0}, {"name", "point"}});
    run.expect(SYSCALL_UMOUNT_1_X, {{"res", -ENOENT}, {"name", "missing"}});
}

// send and recv exist inside socketcall only.
LIVE_TEST(SOCKET_SEND_X) {
    NEED_IA32(SOCKET_SEND_X);
    Run run([] {
        note(0, connected(SOCK_DGRAM, kClient4.for_call(), kServer4.for_call()));
        call32(ia32("socketcall"), 9, place_array(note_of(0), place("hello"), 5, 0));
        call32(ia32("socketcall"), 9, place_array(-1, place("world"), 3, 0));
    });
    run.expect(SOCKET_SEND_X, {{"res", 5},
                               {"data", Raw{"hello"}},
                               {"fd", run.note(0)},
                               {"size", 5},
                               {"tuple", tuple(kClient4, kServer4)}});
    run.expect(
        SOCKET_SEND_X,
        {{"res", -EBADF}, {"data", Raw{"wor"}}, {"fd", -1}, {"size", 3}, {"tuple", kNothing}});
}

LIVE_TEST(SOCKET_RECV_X) {
    NEED_IA32(SOCKET_RECV_X);
    Run run([] {
        const int receiver = bound(SOCK_DGRAM, kServer4.for_call()),
                  sender = connected(SOCK_DGRAM, kClient4.for_call(), kServer4.for_call());
        if (connect(receiver, generic(kClient4.for_call()), sizeof(sockaddr_in)) < 0 ||
            send(sender, "hello", 5, 0) != 5)
            _exit(97);
        note(0, receiver);
        call32(ia32("socketcall"), 10, place_array(receiver, place_array(0, 0, 0, 0), 16, 0));
        call32(ia32("socketcall"), 10, place_array(-1, 0, 7, 0));
    });
    run.expect(SOCKET_RECV_X, {{"res", 5},
                               {"data", Raw{"hello"}},
                               {"fd", run.note(0)},
                               {"size", 16},
                               {"tuple", tuple(kClient4, kServer4)}});
    run.expect(SOCKET_RECV_X,
               {{"res", -EBADF}, {"data", kNothing}, {"fd", -1}, {"size", 7}, {"tuple", kNothing}});
}

LIVE_TEST(SOCKET_CONNECT_X, "through socketcall") {
    NEED_IA32();
    Run run([] {
        const sockaddr_in to = kServer4.for_call();
        note(0, bound(SOCK_DGRAM, kClient4.for_call()));
        call32(ia32("socketcall"), 1, place_array(AF_INET, SOCK_DGRAM, 17));
        call32(ia32("socketcall"), 3, place_array(note_of(0), place(&to, sizeof to), sizeof to));
    });
    run.expect(SOCKET_SOCKET_X, {{"fd", kNonzero},
                                 {"domain", 2},
                                 {"type", 2},
                                 {"proto", 0},
                                 {"flags", 0}}); // bound()'s own
    run.expect(SOCKET_SOCKET_X,
               {{"fd", run.result(0)}, {"domain", 2}, {"type", 2}, {"proto", 17}, {"flags", 0}});
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", tuple(kClient4, kServer4)},
                                  {"fd", run.note(0)},
                                  {"addr", address(kServer4)}});
}

LIVE_TEST(SYSCALL_WRITEV_X, "32-bit vectors") {
    NEED_IA32();
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        call32(ia32("writev"), note_of(0), place_array(place("hello"), 5, place("world"), 3), 2);
        call32(ia32("preadv"), note_of(0), place_array(place_array(0, 0), 4, place_array(0, 0), 3),
               2, 1, 0);
    });
    run.expect(SYSCALL_WRITEV_X,
               {{"res", 8}, {"data", Raw{"hellowor"}}, {"fd", run.note(0)}, {"size", 8}});
    run.expect(
        SYSCALL_PREADV_X,
        {{"res", 7}, {"size", 7}, {"data", Raw{"ellowor"}}, {"fd", run.note(0)}, {"pos", 1}});
}

LIVE_TEST(SOCKET_SENDMSG_X, "32-bit messages") {
    NEED_IA32();
    Run run([] {
        const sockaddr_in to = kServer4.for_call();
        note(0, bound(SOCK_DGRAM, kClient4.for_call()));
        const auto name = place(&to, sizeof to),
                   vector = place_array(place("hello"), 5, place("world"), 3);
        call32(ia32("sendmsg"), note_of(0), place_array(name, sizeof to, vector, 2, 0, 0, 0), 0);
    });
    run.expect(SOCKET_SENDMSG_X, {{"res", 8},
                                  {"data", Raw{"hellowor"}},
                                  {"fd", run.note(0)},
                                  {"size", 8},
                                  {"tuple", tuple(kClient4, kServer4)}});
}

LIVE_TEST(SYSCALL_PREAD_X, "32-bit positions and times") {
    NEED_IA32();
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        call32(ia32("pread64"), note_of(0), place_array(0), 4, 7, 1);
        call32(ia32("nanosleep"), place_array(0, 54321), 0);
        call32(ia32("lseek"), note_of(0), -1, SEEK_CUR);
        call32(ia32("setrlimit"), 6, place_array(100, -1));
        call32(ia32("setresuid32"), 1001, -1, 1003);
    });
    run.expect(SYSCALL_PREAD_X, {{"res", 0},
                                 {"data", kNothing},
                                 {"fd", run.note(0)},
                                 {"size", 4},
                                 {"pos", (1L << 32) + 7}});
    run.expect(SYSCALL_NANOSLEEP_X, {{"res", 0}, {"interval", 54321}});
    run.expect(SYSCALL_LSEEK_X,
               {{"res", -EINVAL}, {"fd", run.note(0)}, {"offset", -1}, {"whence", 1}});
    run.expect(SYSCALL_SETRLIMIT_X,
               {{"res", run.result(3)}, {"cur", 100}, {"max", -1}, {"resource", 6}});
    run.expect(SYSCALL_SETRESUID_X, {{"res", 0}, {"ruid", 1001}, {"euid", -1}, {"suid", 1003}});
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "32-bit") {
    NEED_IA32();
    Run run([] {
        call32(ia32("openat"), AT_FDCWD, place("missing"), O_RDONLY | O_CLOEXEC, 0);
        call32(ia32("execve"), place("/no/such/program"),
               place_array(place("zero"), place("one"), 0), place_array(place("A=1"), 0));
        call32(20); // getpid has no event of its own
    });
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", -ENOENT},
                                    {"dirfd", AT_FDCWD},
                                    {"name", "missing"},
                                    {"flags", 1 | 4096},
                                    {"mode", 0},
                                    {"dev", 0},
                                    {"ino", 0}});
    const auto execs = run.of(run.tid(), SYSCALL_EXECVE_19_X);
    REQUIRE(execs.size() == 1);
    CHECK(execs[0].number<std::int64_t>(0) == -ENOENT);
    CHECK(execs[0].text(1) == "zero");
    CHECK(execs[0].text(2) == "one");
    CHECK(execs[0].text(static_cast<std::uint32_t>(execs[0].info().find_param("env"))) == "A=1");
    run.expect(GENERIC_X, {{"ID", find_syscall("getpid")->scap}, {"nativeID", 20}});
}

// Most kernels refuse x32 numbers. The attempt still gives the event of the call that was meant.
LIVE_TEST(SYSCALL_CHDIR_X, "x32 number") {
    constexpr long kX32 = 0x40000000;
    Run run([] {
        const char path[] = "/tmp";
        call(kX32 | SYS_chdir, path);
        call(kX32 | 515 /* readv, which x32 numbers in its own way */, -1, nullptr, 0);
    });
    if (run.result(0) == -ENOSYS && session().reply().attach == wire::Attach::per_syscall)
        LIVE_SKIP("attached per syscall, and the kernel refuses x32 before it calls a function");
    run.expect(SYSCALL_CHDIR_X, {{"res", run.result(0)}, {"path", "/tmp"}});
    CHECK((run.result(0) == -ENOSYS || run.result(0) == 0));
    run.expect(SYSCALL_READV_X,
               {{"res", run.result(1)}, {"size", 0}, {"data", kNothing}, {"fd", -1}});
}

} // namespace tiercel::live
#endif
