// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/fd.h"

#include <vector>

namespace tiercel::state {
namespace {

struct KindRow {
    std::string_view name;
    char letter;
};
// By FdKind.
constexpr KindRow kKinds[] = {
    {"<NA>", 'o'},      {"file", 'f'},    {"directory", 'd'},   {"ipv4", '4'},
    {"ipv6", '6'},      {"ipv4", '4'},    {"ipv6", '6'},        {"pipe", 'p'},
    {"unix", 'u'},      {"event", 'e'},   {"<NA>", 'o'},        {"signalfd", 's'},
    {"eventpoll", 'l'}, {"inotify", 'i'}, {"timerfd", 't'},     {"netlink", 'n'},
    {"file", 'f'},      {"bpf", 'b'},     {"userfaultfd", 'u'}, {"io_uring", 'r'},
    {"memfd", 'm'},     {"pidfd", 'P'},
};

} // namespace

std::string_view fd_kind_name(FdKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    return index < std::size(kKinds) ? kKinds[index].name : "<NA>";
}

char fd_kind_letter(FdKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    return index < std::size(kKinds) ? kKinds[index].letter : 'o';
}

std::string_view l4_name(L4 protocol) {
    switch (protocol) {
    case L4::tcp: return "tcp";
    case L4::udp: return "udp";
    case L4::icmp: return "icmp";
    case L4::raw: return "raw";
    case L4::unknown:
    case L4::none: break;
    }
    return {};
}

void FdTable::close_on_exec() {
    std::vector<std::int64_t> closed;
    fds_.for_each([&](std::int64_t fd, const Fd& entry) {
        if (entry.is(Fd::cloexec))
            closed.push_back(fd);
    });
    for (const std::int64_t fd : closed)
        fds_.erase(fd);
}

void FdTable::close_range(std::int64_t first, std::int64_t last, bool only_mark) {
    std::vector<std::int64_t> closed;
    fds_.for_each([&](std::int64_t fd, Fd& entry) {
        if (fd < first || fd > last)
            return;
        if (only_mark)
            entry.set(Fd::cloexec);
        else
            closed.push_back(fd);
    });
    for (const std::int64_t fd : closed)
        fds_.erase(fd);
}

} // namespace tiercel::state
