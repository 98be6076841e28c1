// SPDX-License-Identifier: Apache-2.0
// execve and execveat: the events of a program that started, and of one that could not.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "shared/event/params.h"
#include "tests/live/harness/paths.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/self.h"

namespace tiercel::live {

namespace {

// What is run with, on the stack: the rest of the binary may not be in memory yet when a call has
// failed, and what is not there cannot be told.
struct Texts {
    char zero[5] = "zero", one[4] = "one", none[1] = "", three[6] = "three", a[4] = "A=1",
         b[6] = "B=two";
    const char* arguments[5] = {zero, one, none, three, nullptr};
    const char* environment[3] = {a, b, nullptr};
};
const Raw kWantedArguments = texts("one", "", "three"), kWantedEnvironment = texts("A=1", "B=two");

// The program is the test's own binary, which ends at once when it is called "zero" (main.cpp).
void copy_program(int to) {
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    while (sendfile(to, from, nullptr, 1 << 20) > 0)
        ;
    fchmod(to, 0755);
    close(from);
}

void place_program(const char* name) {
    const int to = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    copy_program(to);
    close(to);
}

std::uint64_t full_capabilities() {
    const std::string status = read_all("/proc/self/status");
    return std::stoull(status.substr(status.find("CapEff:") + 7), nullptr, 16);
}

std::uint64_t ns(const timespec& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_nsec);
}

struct Wanted {
    long res = 0;
    Want exe = "zero", args = kWantedArguments, env = kWantedEnvironment;
    std::string comm, path, binary; // binary: the file whose inode the event holds
    std::string cwd = {};
    Want filename = kNothing;
    long flags = 1; // root may write to its executable
    std::uint64_t capabilities = full_capabilities();
    long uid = 0, gid = 0;
    bool unnamed = false; // a memfd: there is no file to ask
};

void expect_exec(Run& run, Code code, const Wanted& w, Run::Here here = Run::Here::current()) {
    struct stat file {};
    stat(w.binary.c_str(), &file);
    const Want ino = w.unnamed ? Want(kNonzero) : Want(file.st_ino);
    const Want ctime = w.unnamed ? Want(kNonzero) : Want(ns(file.st_ctim)),
               mtime = w.unnamed ? Want(kNonzero) : Want(ns(file.st_mtim));
    std::vector<WantParam> wants{{"res", w.res},
                                 {"exe", w.exe},
                                 {"args", w.args},
                                 {"tid", run.tid()},
                                 {"pid", run.tid()},
                                 {"ptid", getpid()},
                                 {"cwd", w.cwd},
                                 {"fdlimit", fd_limit()},
                                 {"pgft_maj", at_least(0)},
                                 {"pgft_min", at_least(1)},
                                 {"vm_size", between(100, 1U << 30)},
                                 {"vm_rss", between(0, 1U << 24)},
                                 {"vm_swap", between(0, 1U << 24)},
                                 {"comm", w.comm},
                                 {"cgroups", own_cgroups()},
                                 {"env", w.env},
                                 {"tty", 0},
                                 {"vpgid", run.tid()},
                                 {"loginuid", login_uid()},
                                 {"flags", w.flags},
                                 {"cap_inheritable", 0},
                                 {"cap_permitted", w.capabilities},
                                 {"cap_effective", w.capabilities},
                                 {"exe_ino", ino},
                                 {"exe_ino_ctime", ctime},
                                 {"exe_ino_mtime", mtime},
                                 {"uid", w.uid},
                                 {"trusted_exepath", w.path},
                                 {"pgid", run.tid()},
                                 {"gid", w.gid}};
    if (code == SYSCALL_EXECVE_19_X)
        wants.push_back({"filename", w.filename});
    run.expect_list(run.tid(), code, wants, here);
}

// x86 pretends that any exec was execve once the new program is in place (set_personality_64bit()).
#ifdef __x86_64__
constexpr Code kSucceeded = SYSCALL_EXECVE_19_X;
#else
constexpr Code kSucceeded = SYSCALL_EXECVEAT_X;
#endif

long layer_flag(const std::string& path) {
    return FileFacts(path).layer ? 2 : 0;
}

} // namespace

LIVE_TEST(SYSCALL_EXECVE_19_X) {
    Run run([] {
        const Texts texts;
        setsid(); // no terminal, and a group of its own
        place_program("program-with-a-long-name");
        call(SYS_execve, "./program-with-a-long-name", texts.arguments, texts.environment);
        _exit(1);
    });
    const std::string path = run.path("program-with-a-long-name");
    expect_exec(run, SYSCALL_EXECVE_19_X,
                {.comm = "program-with-a-",
                 .path = path,
                 .binary = path,
                 .cwd = run.directory(),
                 .filename = "./program-with-a-long-name",
                 .flags = 1 | layer_flag(path)});
    run.expect_no_more(SYSCALL_EXECVE_19_X);
}

LIVE_TEST(SYSCALL_EXECVE_19_X, "failed") {
    Run run([] {
        const Texts texts;
        setsid();
        call(SYS_execve, "/no/such/program", texts.arguments, texts.environment);
        call(SYS_execve, "/no/such/program", nullptr, nullptr);
    });
    const std::string self = own_binary();
    Wanted wanted{.res = -ENOENT,
                  .comm = own_name(),
                  .path = self,
                  .binary = self,
                  .cwd = run.directory(),
                  .filename = "/no/such/program",
                  .flags = 1 | layer_flag(self)};
    expect_exec(run, SYSCALL_EXECVE_19_X, wanted);
    wanted.exe = wanted.args = wanted.env = kNothing;
    expect_exec(run, SYSCALL_EXECVE_19_X, wanted);
    run.expect_no_more(SYSCALL_EXECVE_19_X);
}

LIVE_TEST(SYSCALL_EXECVE_19_X, "another user") {
    Run run([] {
        const Texts texts;
        setsid();
        place_program("program");
        syscall(SYS_setresgid, 1005, 1005, 1005);
        syscall(SYS_setresuid, 1002, 1002, 1002);
        call(SYS_execve, "./program", texts.arguments, texts.environment);
        _exit(1);
    });
    const std::string path = run.path("program");
    expect_exec(run, SYSCALL_EXECVE_19_X,
                {.comm = "program",
                 .path = path,
                 .binary = path,
                 .cwd = run.directory(),
                 .filename = "./program",
                 .flags = layer_flag(path),
                 .capabilities = 0,
                 .uid = 1002,
                 .gid = 1005});
}

LIVE_TEST(SYSCALL_EXECVE_19_X, "long command line") {
    static const std::string kLarge(3000, 'x');
    static const char* const kMany[] = {"zero", kLarge.c_str(), kLarge.c_str(), nullptr};
    Run run([] {
        setsid();
        place_program("program");
        call(SYS_execve, "./program", kMany, kMany);
        _exit(1);
    });
    const std::string path = run.path("program");
    // 4,096 bytes are kept: of arguments both ends, of the environment the beginning.
    const std::string whole = kLarge + '\0' + kLarge + '\0';
    const Raw args{whole.substr(0, 2043) + std::string("\0...\0", 5) +
                   whole.substr(whole.size() - 2048)},
        env{("zero" + std::string(1, '\0') + kLarge + '\0' + kLarge).substr(0, 4095) + '\0'};
    expect_exec(run, SYSCALL_EXECVE_19_X,
                {.args = args,
                 .env = env,
                 .comm = "program",
                 .path = path,
                 .binary = path,
                 .cwd = run.directory(),
                 .filename = "./program",
                 .flags = 1 | layer_flag(path)});
    const auto execs = run.of(run.tid(), SYSCALL_EXECVE_19_X);
    CHECK(execs[0].number<std::uint32_t>(event::param::SYSCALL_EXECVE_19_X::args_size) ==
          whole.size());
}

LIVE_TEST(SYSCALL_EXECVEAT_X) {
    Run run([] {
        const Texts texts;
        setsid();
        place_program("program");
        call(SYS_execveat, 77, "program", texts.arguments, texts.environment, 0);
        call(SYS_execveat, AT_FDCWD, "program", texts.arguments, texts.environment, 0);
        _exit(1);
    });
    const std::string path = run.path("program"), self = own_binary();
    expect_exec(run, SYSCALL_EXECVEAT_X,
                {.res = -EBADF,
                 .comm = own_name(),
                 .path = self,
                 .binary = self,
                 .cwd = run.directory(),
                 .flags = 1 | layer_flag(self)});
    expect_exec(run, kSucceeded,
                {.comm = "program",
                 .path = path,
                 .binary = path,
                 .cwd = run.directory(),
                 .filename = "program",
                 .flags = 1 | layer_flag(path)});
    run.expect_no_more(SYSCALL_EXECVEAT_X);
    run.expect_no_more(SYSCALL_EXECVE_19_X);
}

LIVE_TEST(SYSCALL_EXECVEAT_X, "a memfd") {
    Run run([] {
        const Texts texts;
        setsid();
        const int memfd =
            static_cast<int>(syscall(SYS_memfd_create, "hidden", 1 /* MFD_CLOEXEC */));
        copy_program(memfd);
        note(0, memfd);
        call(SYS_execveat, memfd, "", texts.arguments, texts.environment, AT_EMPTY_PATH);
        _exit(1);
    });
    // The kernel names the thread after the file from 6.14 on, after the descriptor's number
    // before.
    const auto events = run.of(run.tid(), kSucceeded);
    REQUIRE(events.size() == 1);
    const std::string comm(events[0].text(13)), number = std::to_string(run.note(0));
    CHECK((comm == "memfd:hidden" || comm == number));
    expect_exec(run, kSucceeded,
                {.comm = comm,
                 .path = "memfd:hidden",
                 .binary = {},
                 .cwd = run.directory(),
                 .filename = "/dev/fd/" + number,
                 .flags = 1 | 4,
                 .unnamed = true});
}

} // namespace tiercel::live
