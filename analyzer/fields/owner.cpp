// SPDX-License-Identifier: Apache-2.0
//
// Fields of the thread's user and group.
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::kNoId;
using state::Thread;

std::int64_t login_uid(const Thread& thread) {
    return thread.loginuid == kNoId ? -1 : std::int64_t{thread.loginuid};
}

std::optional<std::uint32_t> real_uid(const Thread& thread) {
    return thread.ruid != kNoId ? std::optional(thread.ruid) : std::nullopt;
}

// Names are those of the host: the state does not know the users of a container.
const state::User* user_of(const EventContext& event, const Thread& thread, std::uint32_t id) {
    return thread.container_id.empty() ? event.state->users().user(id) : nullptr;
}

// User 0 is root everywhere.
std::string_view name_of(const state::User* user, std::uint32_t id) {
    if (user != nullptr)
        return user->name;
    return id == 0 ? "root" : "<NA>";
}

std::string_view user_name(const EventContext& event, const Thread& thread) {
    return name_of(user_of(event, thread, thread.uid), thread.uid);
}
std::string_view login_name(const EventContext& event, const Thread& thread) {
    return name_of(user_of(event, thread, thread.loginuid), thread.loginuid);
}
std::string_view home(const EventContext& event, const Thread& thread) {
    const state::User* user = user_of(event, thread, thread.uid);
    return user != nullptr ? std::string_view(user->home) : "<NA>";
}
std::string_view shell(const EventContext& event, const Thread& thread) {
    const state::User* user = user_of(event, thread, thread.uid);
    return user != nullptr ? std::string_view(user->shell) : "<NA>";
}

std::string_view group_name(const EventContext& event, const Thread& thread) {
    const std::string_view name =
        thread.container_id.empty() ? event.state->users().group(thread.gid) : std::string_view();
    if (name.empty() && thread.gid == 0)
        return "root";
    return name.empty() ? "<NA>" : name;
}

constexpr FieldInfo kUser[] = {
    {"user.uid", kUint32, "User id.", of_thread<&Thread::uid>, cost(1)},
    {"user.realuid", kUint32,
     "Real user id. No value if the driver or the capture does not tell it.", of_thread<real_uid>,
     cost(1)},
    {"user.name", kText, "User name.", of_thread<user_name>},
    {"user.homedir", kText, "Home directory of the user.", of_thread<home>},
    {"user.shell", kText, "Login shell of the user.", of_thread<shell>},
    {"user.loginuid", kInt64, "User id of the login (auid); -1 if there was no login.",
     of_thread<login_uid>, cost(1)},
    {"user.loginname", kText, "Name of the user who logged in.", of_thread<login_name>},
};

constexpr FieldInfo kGroup[] = {
    {"group.gid", kUint32, "Group id.", of_thread<&Thread::gid>, cost(1)},
    {"group.name", kText, "Group name.", of_thread<group_name>},
};

} // namespace

std::span<const FieldInfo> user_fields() {
    return kUser;
}
std::span<const FieldInfo> group_fields() {
    return kGroup;
}

} // namespace tiercel::filter
