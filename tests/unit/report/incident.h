// SPDX-License-Identifier: Apache-2.0
//
// The events of an incident, for captures and summaries: processes that start, run a program, open
// files, connect and end.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "analyzer/state/socket.h"
#include "shared/event/params.h"
#include "tests/unit/state/event_builder.h"

namespace tiercel::test {

// "a\0b\0" of "a b".
inline std::string arguments(std::string_view words) {
    std::string made(words);
    for (char& c : made)
        c = c == ' ' ? '\0' : c;
    return made + '\0';
}

struct Actor {
    std::int64_t pid, parent;
    std::string name;
    std::uint32_t uid = 1000;
    std::string cgroups = arguments("cpu=/user");

    EventBuilder event(std::uint16_t code, std::uint64_t ts) const {
        EventBuilder made(code);
        made.tid(static_cast<std::uint64_t>(pid)).ts(ts);
        return made;
    }
    EventBuilder start(std::uint64_t ts) const {
        EventBuilder made = event(event::SYSCALL_CLONE_20_X, ts);
        made.i64(0).text("sh").bytes(arguments("-c")).i64(pid).i64(pid).i64(parent).none();
        made.i64(1024).u64(0).u64(0).u32(0).u32(0).u32(0).text("sh").bytes(cgroups).u32(0);
        made.u32(uid).u32(uid).i64(pid).i64(pid);
        return made;
    }
    EventBuilder exec(std::uint64_t ts, std::string_view args) const {
        EventBuilder made = event(event::SYSCALL_EXECVE_19_X, ts);
        made.i64(0).text(name).bytes(arguments(args)).i64(pid).i64(pid).i64(parent);
        made.text("/home/me").u64(1024).u64(0).u64(0).u32(0).u32(0).u32(0).text(name);
        made.bytes(cgroups).none().u32(0).i64(pid).u32(uid).u32(0).u64(0).u64(0).u64(0);
        made.u64(7).u64(8).u64(9).u32(uid).text("/usr/bin/" + name).i64(pid).u32(uid);
        return made;
    }
    EventBuilder open(std::uint64_t ts, std::int64_t fd, std::string_view path,
                      std::uint32_t flags = event::flags::file_flags::kO_RDONLY) const {
        EventBuilder made = event(event::SYSCALL_OPENAT_2_X, ts);
        made.i64(fd).i64(event::kAtFdcwd).text(path).u32(flags).u32(0).u32(8).u64(9);
        return made;
    }
    EventBuilder write(std::uint64_t ts, std::int64_t fd, std::string_view data) const {
        EventBuilder made = event(event::SYSCALL_WRITE_X, ts);
        made.i64(static_cast<std::int64_t>(data.size())).bytes(data).i64(fd);
        made.u32(static_cast<std::uint32_t>(data.size()));
        return made;
    }
    EventBuilder read(std::uint64_t ts, std::int64_t fd, std::string_view data) const {
        EventBuilder made = event(event::SYSCALL_READ_X, ts);
        made.i64(static_cast<std::int64_t>(data.size())).bytes(data).i64(fd);
        made.u32(static_cast<std::uint32_t>(data.size()));
        return made;
    }
    EventBuilder socket(std::uint64_t ts, std::int64_t fd, std::uint32_t type = 1) const {
        EventBuilder made = event(event::SOCKET_SOCKET_X, ts);
        made.i64(fd).u32(state::kFamilyInet).u32(type).u32(0);
        return made;
    }
    // From 10.0.0.2:40000 to 192.0.2.`host`:`port`.
    EventBuilder connect(std::uint64_t ts, std::int64_t fd, std::uint8_t host,
                         std::uint16_t port) const {
        std::string tuple = {
            2, 10, 0, 0, 2, 0, 0, static_cast<char>(192), 0, 2, static_cast<char>(host), 0, 0};
        const std::uint16_t own = 40000;
        std::memcpy(tuple.data() + 5, &own, sizeof own);
        std::memcpy(tuple.data() + 11, &port, sizeof port);
        EventBuilder made = event(event::SOCKET_CONNECT_X, ts);
        made.i64(0).bytes(tuple).i64(fd);
        return made;
    }
    EventBuilder unlink(std::uint64_t ts, std::string_view path) const {
        EventBuilder made = event(event::SYSCALL_UNLINK_2_X, ts);
        made.i64(0).text(path);
        return made;
    }
    // `status` as wait(2) gives it.
    EventBuilder end(std::uint64_t ts, std::int64_t status = 0) const {
        EventBuilder made = event(event::PROCEXIT_1_E, ts);
        made.i64(status).i64(status >> 8).u8(0).u8(0).i64(parent);
        return made;
    }
};

// A DNS answer: `name` is at 192.0.2.`host`.
inline std::string dns_answer(std::string_view name, std::uint8_t host) {
    using namespace std::literals;
    std::string message = "\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0"s;
    std::string labels;
    while (!name.empty()) {
        const std::size_t dot = std::min(name.find('.'), name.size());
        labels += static_cast<char>(dot);
        labels += name.substr(0, dot);
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    message += labels + "\0\0\x01\0\x01"s;
    message += "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02"s;
    message += static_cast<char>(host);
    return message;
}

} // namespace tiercel::test
