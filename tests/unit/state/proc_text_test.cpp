// SPDX-License-Identifier: Apache-2.0
//
// Threads from the texts of /proc.
#include <doctest/doctest.h>
#include <unistd.h>

#include "analyzer/state/proc_text.h"

using namespace tiercel::state;
using namespace std::literals;

namespace {

constexpr auto kStatus =
    "Name:\tworker\nUmask:\t0022\nTgid:\t40\nPid:\t41\nPPid:\t7\nUid:\t1\t1000\t3\t4\n"
    "Gid:\t1\t1001\t3\t4\nNStgid:\t40\t4\nNSpid:\t41\t5\nNSpgid:\t39\t3\nNSsid:\t38\t2\n"
    "VmSize:\t    2048 kB\nVmRSS:\t     512 kB\nCapInh:\t0000000000000001\n"
    "CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000080\n"sv;
// A name that looks like the fields behind it.
constexpr auto kStat = "41 (a) R 1 (b) S 7 39 38 34816 39 0 11 0 12 0 1 2 0 0 20 0 1 0 500 0 0"sv;

} // namespace

TEST_CASE("a thread is what the files say, in its namespace and outside") {
    const auto thread = thread_of({.status = kStatus,
                                   .stat = kStat,
                                   .cmdline = "/bin/w\0-x\0"sv,
                                   .cgroup = "0::/system.slice/w.service\n",
                                   .loginuid = "1000",
                                   .exe = "/usr/bin/worker",
                                   .cwd = "/srv"},
                                  1'000);
    REQUIRE(thread);
    CHECK(thread->tid == 41);
    CHECK(thread->pid == 40);
    CHECK(thread->ptid == 7);
    CHECK(thread->vtid == 5);
    CHECK(thread->vpid == 4);
    CHECK(thread->pgid == 39);
    CHECK(thread->vpgid == 3);
    CHECK(thread->sid == 2);
    CHECK(thread->uid == 1000);
    CHECK(thread->gid == 1001);
    CHECK(thread->loginuid == 1000);
    CHECK(thread->tty == 34816);
    CHECK(thread->pgft_min == 11);
    CHECK(thread->pgft_maj == 12);
    CHECK(thread->vm_size == 2048);
    CHECK(thread->vm_rss == 512);
    CHECK(thread->cap_permitted == 0x1ffffffffff);
    CHECK(thread->cap_effective == 0x80);
    CHECK(thread->clone_ts ==
          1'000 + 500 * (1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK))));
    CHECK(thread->comm.view() == "a) R 1 (b");
    CHECK(thread->exe.view() == "/bin/w");
    CHECK(thread->args.view() == "-x\0"sv);
    CHECK(thread->exepath.view() == "/usr/bin/worker");
    CHECK(thread->process->cwd.view() == "/srv/");
    CHECK(thread->cgroups.view().starts_with("cpuset=/system.slice/w.service\0cpu="sv));
    CHECK((thread->flags & Thread::is_thread) != 0);
}

TEST_CASE("cgroups of version 1 are by controller") {
    const auto thread =
        thread_of({.status = kStatus, .cgroup = "5:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n"}, 0);
    REQUIRE(thread);
    CHECK(thread->cgroups.view() == "cpu=/a\0cpuacct=/a\0name=systemd=/b\0"sv);
}

TEST_CASE("what is missing or damaged gives less, or nothing") {
    CHECK_FALSE(thread_of({}, 0));
    CHECK_FALSE(thread_of({.status = "Tgid:\tx\nPid:\n:::\n\n"}, 0));
    CHECK_FALSE(thread_of({.status = "Pid:\t1\n"}, 0));
    for (std::size_t length = 0; length <= kStatus.size(); ++length)
        for (const auto stat : {")("sv, "1 ("sv, "1 (x"sv, "1 (x)"sv, kStat.substr(0, length)})
            if (const auto thread = thread_of({.status = kStatus.substr(0, length),
                                               .stat = stat,
                                               .cmdline = kStat.substr(0, length),
                                               .cgroup = kStat.substr(0, length)},
                                              0))
                CHECK((thread->tid == 41 || thread->tid == 4));
}
