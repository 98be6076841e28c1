// SPDX-License-Identifier: Apache-2.0
//
// text_of(engine): all of the state that a capture's lists carry, as text in a fixed order, so that
// two engines can be compared. Not carried, and so left out: when a thread started and ran its
// program (clone_ts, exec_ts), close-on-exec of fds that are not files, a file's mount and layer,
// and whether a connect() is under way.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analyzer/state/state_tracker.h"

namespace tiercel::test {

inline std::string hex(const state::Address& address) {
    std::string out;
    for (const std::uint8_t byte : address)
        out += fmt::format("{:02x}", byte);
    return out;
}

inline std::string text_of(std::int64_t number, const state::Fd& fd) {
    const bool file = fd.kind == state::FdKind::file;
    return fmt::format("  fd {} kind={} l4={} roles={} flags={:x} dev={} ino={} {}:{} {}:{} {} {} "
                       "'{}' '{}'\n",
                       number, static_cast<int>(fd.kind), static_cast<int>(fd.l4),
                       fd.flags & (state::Fd::server | state::Fd::client | state::Fd::connected |
                                   (file ? state::Fd::cloexec : 0)),
                       fd.open_flags, fd.dev, fd.ino, hex(fd.ends->source), fd.ends->source_port,
                       hex(fd.ends->dest), fd.ends->dest_port, fd.ends->unix_source,
                       fd.ends->unix_dest, fd.name.view(), file ? fd.raw_name() : "");
}

inline std::string text_of(const state::Thread& thread) {
    std::string out = fmt::format(
        "thread {} {} {} {} {} {} {} {} flags={:x} exe={:x} ids={} {} {} tty={} vm={} {} {} {} {} "
        "limit={} caps={} {} {} file={} {} {} ns={} '{}' '{}' '{}' '{}' '{}' '{}' '{}' cwd='{}' "
        "env='{}' threads={}\n",
        thread.tid, thread.pid, thread.ptid, thread.vtid, thread.vpid, thread.sid, thread.pgid,
        thread.vpgid, thread.flags, thread.exe_flags, thread.uid, thread.gid, thread.loginuid,
        thread.tty, thread.vm_size, thread.vm_rss, thread.vm_swap, thread.pgft_maj, thread.pgft_min,
        thread.fdlimit, thread.cap_inheritable, thread.cap_permitted, thread.cap_effective,
        thread.exe_ino, thread.exe_ctime, thread.exe_mtime, thread.pidns_start_ts,
        thread.comm.view(), thread.exe.view(), thread.exepath.view(), thread.args.view(),
        thread.cgroups.view(), thread.root.view(), thread.container_id.view(),
        thread.process->cwd.view(), thread.process->env.view(), thread.process->threads);
    std::vector<std::string> fds;
    thread.process->fds->for_each(
        [&](std::int64_t number, const state::Fd& fd) { fds.push_back(text_of(number, fd)); });
    std::ranges::sort(fds);
    for (const std::string& fd : fds)
        out += fd;
    return out;
}

inline std::string text_of(const state::StateTracker& engine) {
    std::vector<std::string> parts;
    engine.for_each_thread([&](const state::Thread& thread) { parts.push_back(text_of(thread)); });
    for (const auto& [uid, user] : engine.users().users())
        parts.push_back(
            fmt::format("user {} {} {} {} {}\n", uid, user.gid, user.name, user.home, user.shell));
    for (const auto& [gid, group] : engine.users().groups())
        parts.push_back(fmt::format("group {} {}\n", gid, group.name));
    std::ranges::sort(parts);
    std::string out;
    for (const std::string& part : parts)
        out += part;
    return out;
}

} // namespace tiercel::test
