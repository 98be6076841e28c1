// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/users.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tiercel::state {
namespace {

std::optional<std::uint32_t> parse_id(std::string_view text) {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return id;
}

template <std::size_t N>
std::array<std::string_view, N> columns(std::string_view line) {
    std::array<std::string_view, N> cells;
    for (std::string_view& cell : cells) {
        const std::size_t end = line.find(':');
        cell = line.substr(0, end);
        line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    }
    return cells;
}

template <typename Visit>
void for_each_line(std::string_view text, Visit&& visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        visit(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

} // namespace

void Users::load_passwd(std::string_view text) {
    std::erase_if(users_, [](const auto& each) { return !each.second.is_from_service; });
    for_each_line(text, [this](std::string_view line) {
        const auto [name, password, uid, gid, comment, home, shell] = columns<7>(line);
        const auto user = parse_id(uid);
        const auto group = parse_id(gid);
        if (!user || !group || name.empty())
            return;
        User& entry = users_[*user];
        if (entry.name.empty() || entry.is_from_service)
            entry = {*user, *group, std::string(name), std::string(home), std::string(shell)};
    });
}

void Users::load_group(std::string_view text) {
    std::erase_if(groups_, [](const auto& each) { return !each.second.is_from_service; });
    for_each_line(text, [this](std::string_view line) {
        const auto [name, password, gid] = columns<3>(line);
        const auto group = parse_id(gid);
        if (!group || name.empty())
            return;
        Group& entry = groups_[*group];
        if (entry.name.empty() || entry.is_from_service)
            entry = {.name = std::string(name)};
    });
}

void Users::forget(WantedName name) {
    if (const auto user = users_.find(name.id);
        !name.is_group && user != users_.end() && user->second.is_from_service)
        users_.erase(user);
    if (const auto group = groups_.find(name.id);
        name.is_group && group != groups_.end() && group->second.is_from_service)
        groups_.erase(group);
}

void Users::want(WantedName name) const {
    constexpr auto kNone = ~std::uint32_t{0}; // of a thread whose user is not known
    if (remembers_ && name.id != kNone && wanted_.size() < kMostWanted &&
        std::ranges::find(wanted_, name) == wanted_.end())
        wanted_.push_back(name);
}

} // namespace tiercel::state
