// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/proc_door.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "analyzer/source/proc_numbers.h"
#include "analyzer/state/proc_text.h"
#include "shared/os/file.h"
#include "shared/wire/client.h"

namespace tiercel::app {

namespace {

// Returns where the link leads; "" if privd may not know, or the thread has ended.
std::string target(const os::UniqueFd& privd, std::int32_t tid, wire::ProcFile link) {
    auto text = wire::client::ask_link(privd, tid, link);
    return text ? *std::move(text) : std::string();
}

std::string contents(const os::UniqueFd& privd, std::int32_t tid, wire::ProcFile file) {
    constexpr std::size_t kLongest = 64 << 10; // of a command line, as much as is captured of one
    std::string text;
    auto fd = wire::client::ask_door(privd, tid, file);
    char part[4096];
    for (ssize_t got = 1; fd && got > 0 && text.size() < kLongest;) {
        got = read(fd->get(), part, sizeof part);
        text.append(part, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    return text;
}

// How many threads the kernel has, after the slash in /proc/loadavg (proc_loadavg(5)); 0: unknown.
std::uint64_t threads_of_kernel() {
    std::array<char, 128> room{};
    auto text = os::read_file("", "/proc/loadavg", room);
    const std::size_t slash = text ? text->find('/') : std::string_view::npos;
    if (slash == std::string_view::npos)
        return 0;
    const std::string_view rest = text->substr(slash + 1);
    return os::parse_unsigned(rest.substr(0, rest.find(' ')), 10).value_or(0);
}

// Threads start and end while they are listed, so only a large difference says that /proc hides
// some.
void tell_hidden(std::size_t seen) {
    if (const std::uint64_t all = threads_of_kernel(); seen < all / 2)
        fmt::print(stderr,
                   "analyzer: /proc shows {} of {} threads to this account, so nothing is known "
                   "of the other processes that ran before: mount /proc without hidepid for it, "
                   "in the host's pid namespace\n",
                   seen, all);
}

} // namespace

ProcDoor ProcDoor::look(const os::UniqueFd& privd) {
    ProcDoor door;
    for (const std::int32_t pid : numbers_in("/proc"))
        for (const std::int32_t tid : numbers_in("/proc/" + std::to_string(pid) + "/task"))
            door.found_.push_back({tid, target(privd, tid, wire::ProcFile::exe),
                                   target(privd, tid, wire::ProcFile::cwd)});
    tell_hidden(door.found_.size());
    return door;
}

std::size_t ProcDoor::tell(const os::UniqueFd& privd, state::StateTracker& state,
                           const std::function<void()>& between) const {
    using wire::ProcFile;
    std::size_t told = 0;
    for (const Found& found : found_) {
        between();
        const auto file = [&](ProcFile which) { return contents(privd, found.tid, which); };
        const std::string status = file(ProcFile::status), stat = file(ProcFile::stat),
                          cmdline = file(ProcFile::cmdline), cgroup = file(ProcFile::cgroup),
                          loginuid = file(ProcFile::loginuid);
        auto thread = state::thread_of({.status = status,
                                        .stat = stat,
                                        .cmdline = cmdline,
                                        .cgroup = cgroup,
                                        .loginuid = loginuid,
                                        .exe = found.exe,
                                        .cwd = found.cwd},
                                       state.boot_time());
        if (!thread)
            continue;
        state.add(std::move(*thread));
        ++told;
    }
    return told;
}

} // namespace tiercel::app
