// SPDX-License-Identifier: Apache-2.0
//
// What only the kernel knows of a call: its names as they were at the entry, where the lookup of a
// path starts, and who the thread is afterwards.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

#include "shared/event/params.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"
#include "tests/live/harness/source.h"

namespace tiercel::live {

namespace {

namespace openat_x = event::param::SYSCALL_OPENAT_2_X;

char name_in_memory[4096];
pthread_t opener;

void* change_name(void*) {
    usleep(300'000);
    strcpy(name_in_memory, "another");
    pthread_kill(opener, SIGUSR1);
    return nullptr;
}

// Opens a pipe that has no other end, until a second thread has changed the name and interrupts.
void open_and_wait(const std::string& name) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    strcpy(name_in_memory, name.c_str());
    opener = pthread_self();
    pthread_t other;
    if (mkfifo("pipe", 0600) != 0 || pthread_create(&other, nullptr, change_name, nullptr) != 0)
        _exit(1);
    call(SYS_openat, AT_FDCWD, name_in_memory, O_RDONLY);
    pthread_join(other, nullptr);
}

// include/linux/errno.h: what an interrupted call returns in the kernel. Tracepoints see it, and a
// tracer sees the EINTR that becomes of it.
constexpr std::int64_t kErestartsys = 512;

// The name of the open that was interrupted.
std::string interrupted(const Run& run) {
    for (const EventView& view : run.of(run.tid(), SYSCALL_OPENAT_2_X)) {
        const std::int64_t result = view.number<std::int64_t>(openat_x::fd).value_or(0);
        if (result == -EINTR || result == -kErestartsys)
            return std::string(view.text(openat_x::name));
    }
    return "(no open was interrupted)";
}

std::string long_name() {
    std::string name = "pipe";
    while (name.size() < 3000)
        name.insert(0, "./");
    return name;
}

void make_file(const char* path) {
    close(open(path, O_CREAT | O_WRONLY, 0600));
}

} // namespace

LIVE_TEST(SYSCALL_OPENAT_2_X, "whose name changes while it waits") {
    Run run([] { open_and_wait("pipe"); });
    CHECK(interrupted(run) == "pipe");
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "whose long name changes while it waits") {
    Run run([] { open_and_wait(long_name()); });
    CHECK(interrupted(run) == long_name());
}

LIVE_TEST(SYSCALL_RENAMEAT_X, "and where its lookups start") {
    Run run([] {
        mkdir("real", 0700);
        make_file("real/a");
        if (symlink("real", "link") != 0)
            _exit(1);
        const int link = open("link", O_PATH | O_DIRECTORY);
        if (chdir("link") != 0)
            _exit(2);
        call(SYS_renameat, link, "a", AT_FDCWD, "b");
        call(SYS_renameat, link, "/missing", link, "/missing");
    });
    namespace renameat = event::param::SYSCALL_RENAMEAT_X;
    const auto events = run.of(run.tid(), SYSCALL_RENAMEAT_X);
    REQUIRE(events.size() == 2);
    CHECK(events[0].text(renameat::start) == run.path("real"));
    CHECK(events[0].text(renameat::start2) == run.path("real"));
    CHECK(events[1].text(renameat::start) == "/");
    CHECK(events[1].text(renameat::start2) == "/");
}

LIVE_TEST(SYSCALL_CHROOT_X, "and the new root") {
    Run run([] {
        mkdir("real", 0700);
        if (symlink("real", "link") != 0)
            _exit(1);
        call(SYS_chroot, "link");
        call(SYS_unlinkat, AT_FDCWD, "/missing", 0);
    });
    if (run.result(0) < 0)
        LIVE_SKIP("chroot is not permitted here");
    const auto chroot = run.of(run.tid(), SYSCALL_CHROOT_X);
    const auto unlink = run.of(run.tid(), SYSCALL_UNLINKAT_2_X);
    REQUIRE(chroot.size() == 1);
    REQUIRE(unlink.size() == 1);
    CHECK(chroot[0].text(event::param::SYSCALL_CHROOT_X::root) == run.path("real"));
    CHECK(unlink[0].text(event::param::SYSCALL_UNLINKAT_2_X::start) == run.path("real"));
}

LIVE_TEST(SYSCALL_FINIT_MODULE_X, "and its file") {
    Run run([] {
        make_file("file");
        call(SYS_finit_module, open("file", O_RDONLY), "", 0);
    });
    const auto events = run.of(run.tid(), SYSCALL_FINIT_MODULE_X);
    REQUIRE(events.size() == 1);
    CHECK(events[0].text(event::param::SYSCALL_FINIT_MODULE_X::realpath) == run.path("file"));
}

namespace {

constexpr const char* kKinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

void note_namespaces() {
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
        struct stat about {};
        const bool exists = stat((std::string("/proc/self/ns/") + kKinds[i]).c_str(), &about) == 0;
        note(i, exists ? static_cast<long>(about.st_ino) : 0);
    }
}

void check_namespaces(const Run& run, Bytes bytes) {
    REQUIRE(bytes.size() == std::size(kKinds) * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
        std::uint32_t number = 0;
        std::memcpy(&number, bytes.data() + i * sizeof number, sizeof number);
        INFO(kKinds[i]);
        if (run.note(i) != 0)
            CHECK(number == run.note(i));
    }
}

} // namespace

LIVE_TEST(SYSCALL_UNSHARE_X, "and the namespaces after it") {
    Run run([] {
        call(SYS_unshare, CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWNS);
        note_namespaces();
    });
    if (run.result(0) < 0)
        LIVE_SKIP("no namespace can be made");
    const auto events = run.of(run.tid(), SYSCALL_UNSHARE_X);
    REQUIRE(events.size() == 1);
    check_namespaces(run, events[0].param(event::param::SYSCALL_UNSHARE_X::namespaces));
}

LIVE_TEST(SYSCALL_SETRESUID_X, "and the real user after it") {
    Run run([] { call(SYS_setresuid, 1001, 1002, 1003); });
    if (run.result(0) < 0)
        LIVE_SKIP("changing the user is not permitted here");
    const auto events = run.of(run.tid(), SYSCALL_SETRESUID_X);
    REQUIRE(events.size() == 1);
    namespace setresuid = event::param::SYSCALL_SETRESUID_X;
    CHECK(events[0].number<std::uint32_t>(setresuid::uid_after) == 1002);
    CHECK(events[0].number<std::uint32_t>(setresuid::ruid_after) == 1001);
}

} // namespace tiercel::live
