// SPDX-License-Identifier: Apache-2.0
//
// Users maps the ids of users and groups to their names, from the text of /etc/passwd and
// /etc/group, from the name service (LDAP, systemd), or from a capture's user list.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tiercel::state {

struct User {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string name;
    std::string home;
    std::string shell;
    bool is_from_service = false; // the name service told it
};

struct Group {
    std::string name;
    bool is_from_service = false;
};

// A user or group whose name has to be asked for.
struct WantedName {
    std::uint32_t id = 0;
    bool is_group = false;
    bool operator==(const WantedName&) const = default;
};

class Users {
  public:
    // Both replace the names that earlier texts gave, and ignore malformed lines. The first line of
    // an id gives its name, as in getpwuid(3).
    void load_passwd(std::string_view text);
    void load_group(std::string_view text);
    void add(User user) { users_[user.uid] = std::move(user); }
    void add_group(std::uint32_t gid, std::string_view name, bool is_from_service = false) {
        groups_[gid] = {std::string(name), is_from_service};
    }

    // Forgets what the name service told of it.
    void forget(WantedName name);

    // Returns nullptr if the user is not known.
    const User* user(std::uint32_t uid) const {
        const auto found = users_.find(uid);
        if (found == users_.end() || found->second.is_from_service)
            want({uid, false});
        return found != users_.end() ? &found->second : nullptr;
    }
    // Empty if the group is not known.
    std::string_view group(std::uint32_t gid) const {
        const auto found = groups_.find(gid);
        if (found == groups_.end() || found->second.is_from_service)
            want({gid, true});
        return found != groups_.end() ? std::string_view(found->second.name) : std::string_view();
    }
    const std::unordered_map<std::uint32_t, User>& users() const { return users_; }
    const std::unordered_map<std::uint32_t, Group>& groups() const { return groups_; }

    // Looks both up, so that their names are asked for before an event needs them.
    void meet(std::uint32_t uid, std::uint32_t gid) const {
        user(uid);
        group(gid);
    }
    // Lists from now on the ids that are looked up and that no file names.
    void remember_wanted() { remembers_ = true; }
    // Returns these ids, and forgets them. There are kMostWanted at the most.
    std::vector<WantedName> take_wanted() { return std::exchange(wanted_, {}); }
    static constexpr std::size_t kMostWanted = 64;

  private:
    void want(WantedName name) const;

    std::unordered_map<std::uint32_t, User> users_;
    std::unordered_map<std::uint32_t, Group> groups_;
    bool remembers_ = false;
    mutable std::vector<WantedName> wanted_;
};

} // namespace tiercel::state
