// SPDX-License-Identifier: Apache-2.0
//
// Implements the names of fd kinds, and the tables of fds that share their content until it
// differs.
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

SharedFd::Entry* SharedFd::make(Fd fd, std::uint32_t age) {
    return new (memory::allocate(sizeof(Entry))) Entry{std::move(fd), 1, age};
}

SharedFd::SharedFd(Fd fd, std::uint32_t age) : entry_(make(std::move(fd), age)) {}

SharedFd::~SharedFd() {
    if (entry_ != nullptr && --entry_->users == 0) {
        entry_->~Entry();
        memory::release(entry_, sizeof(Entry));
    }
}

Fd& SharedFd::edit() {
    if (entry_->users > 1)
        *this = SharedFd(entry_->fd, entry_->age);
    return entry_->fd;
}

FdTable::Map& FdTable::own() {
    if (!map_)
        map_ = std::allocate_shared<Map>(memory::Allocator<Map>());
    else if (map_.use_count() > 1)
        map_ = std::allocate_shared<Map>(memory::Allocator<Map>(), *map_);
    return *map_;
}

Fd* FdTable::edit(std::int64_t fd) {
    if (find(fd) == nullptr)
        return nullptr;
    return &own().find(fd)->edit();
}

// Looks at some slots and removes the oldest file among them, or the oldest socket if all are
// sockets.
void FdTable::displace(Map& map) {
    constexpr std::size_t kLookedAt = 16;
    std::int64_t victim = Map::kFree;
    std::uint64_t worst = 0;
    std::size_t seen = 0;
    for (std::size_t step = 0; step < map.capacity() && seen < kLookedAt; ++step) {
        hand_ = (hand_ + 1) % map.capacity();
        const SharedFd* entry = map.at_slot(hand_);
        if (entry == nullptr)
            continue;
        ++seen;
        const FdKind kind = entry->get().kind;
        const bool is_file = kind == FdKind::file || kind == FdKind::directory;
        const std::uint32_t age = next_age_ - entry->age();
        const std::uint64_t badness = (std::uint64_t{is_file} << 32) + age;
        if (victim == Map::kFree || badness > worst) {
            victim = map.key_at_slot(hand_);
            worst = badness;
        }
    }
    map.erase(victim);
}

const Fd* FdTable::add(std::int64_t fd, Fd entry, std::size_t limit, bool& displaced) {
    if (fd < 0)
        return nullptr;
    Map& map = own();
    if (map.size() >= limit && map.find(fd) == nullptr) {
        displace(map);
        displaced = true;
    }
    SharedFd& slot = map[fd];
    slot = SharedFd(std::move(entry), next_age_++);
    return &slot.get();
}

bool FdTable::erase(std::int64_t fd) {
    return find(fd) != nullptr && own().erase(fd);
}

template <typename Matches>
void FdTable::erase_if(Matches matches) {
    std::vector<std::int64_t> erased;
    for_each([&](std::int64_t fd, const Fd& entry) {
        if (matches(fd, entry))
            erased.push_back(fd);
    });
    if (erased.size() == size())
        return clear();
    for (const std::int64_t fd : erased)
        own().erase(fd);
}

void FdTable::close_on_exec() {
    erase_if([](std::int64_t, const Fd& entry) { return entry.is(Fd::cloexec); });
}

void FdTable::close_range(std::int64_t first, std::int64_t last, bool only_mark) {
    if (!only_mark)
        return erase_if([&](std::int64_t fd, const Fd&) { return fd >= first && fd <= last; });
    std::vector<std::int64_t> marked;
    for_each([&](std::int64_t fd, const Fd& entry) {
        if (fd >= first && fd <= last && !entry.is(Fd::cloexec))
            marked.push_back(fd);
    });
    for (const std::int64_t fd : marked)
        edit(fd)->set(Fd::cloexec);
}

} // namespace tiercel::state
