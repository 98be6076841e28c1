// SPDX-License-Identifier: Apache-2.0
//
// Users maps the ids of users and groups to their names, from the text of /etc/passwd and
// /etc/group or from a capture's user list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiercel::state {

struct User {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string name;
    std::string home;
    std::string shell;
};

class Users {
  public:
    // Both ignore malformed lines.
    void load_passwd(std::string_view text);
    void load_group(std::string_view text);
    void add(User user) { users_[user.uid] = std::move(user); }
    void add_group(std::uint32_t gid, std::string_view name) { groups_[gid] = name; }

    const User* user(std::uint32_t uid) const {
        const auto found = users_.find(uid);
        return found != users_.end() ? &found->second : nullptr;
    }
    // Empty if the group is not known.
    std::string_view group(std::uint32_t gid) const {
        const auto found = groups_.find(gid);
        return found != groups_.end() ? std::string_view(found->second) : std::string_view();
    }
    const std::unordered_map<std::uint32_t, User>& users() const { return users_; }
    const std::unordered_map<std::uint32_t, std::string>& groups() const { return groups_; }

  private:
    std::unordered_map<std::uint32_t, User> users_;
    std::unordered_map<std::uint32_t, std::string> groups_;
};

} // namespace tiercel::state
