// SPDX-License-Identifier: Apache-2.0
//
// Fields of who owns the thread: user and group.
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::kNoId;

enum UserVariant : std::uint16_t { NAME, HOME, SHELL, LOGIN_NAME };

Values uid(const EventContext& event, const Argument&, Value& single) {
    return event.thread != nullptr ? unsigned_value(single, event.thread->uid) : no_value();
}
Values gid(const EventContext& event, const Argument&, Value& single) {
    return event.thread != nullptr ? unsigned_value(single, event.thread->gid) : no_value();
}
Values login_uid(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    return number_value(
        single, event.thread->loginuid == kNoId ? -1 : std::int64_t{event.thread->loginuid});
}

// Names are the host's: those of users within a container are not known.
const state::User* user_of(const EventContext& event, std::uint32_t id) {
    if (event.thread == nullptr || !event.thread->container_id.empty())
        return nullptr;
    return event.state->users().user(id);
}

Values user_text(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const bool login = argument.variant == LOGIN_NAME;
    const std::uint32_t id = login ? event.thread->loginuid : event.thread->uid;
    const state::User* user = user_of(event, id);
    if (user == nullptr) // everyone knows who user 0 is
        return id == 0 && (argument.variant == NAME || login) ? text_value(single, "root")
                                                              : text_value(single, "<NA>");
    switch (argument.variant) {
    case HOME: return text_value(single, user->home);
    case SHELL: return text_value(single, user->shell);
    default: return text_value(single, user->name);
    }
}

Values group_name(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::string_view name = event.thread->container_id.empty()
                                      ? event.state->users().group(event.thread->gid)
                                      : std::string_view();
    if (name.empty() && event.thread->gid == 0)
        return text_value(single, "root");
    return text_value(single, name.empty() ? "<NA>" : name);
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;
constexpr FieldInfo kUser[] = {
    {"user.uid", "UINT32", U, "User id.", uid, 0, kNone, kSingle, 1},
    {"user.name", "CHARBUF", T, "User name.", user_text, NAME},
    {"user.homedir", "CHARBUF", T, "Home directory of the user.", user_text, HOME},
    {"user.shell", "CHARBUF", T, "Login shell of the user.", user_text, SHELL},
    {"user.loginuid", "INT64", S, "User id that logged in (auid); -1: nobody did.", login_uid, 0,
     kNone, kSingle, 1},
    {"user.loginname", "CHARBUF", T, "Name of the user that logged in.", user_text, LOGIN_NAME},
};

constexpr FieldInfo kGroup[] = {
    {"group.gid", "UINT32", U, "Group id.", gid, 0, kNone, kSingle, 1},
    {"group.name", "CHARBUF", T, "Group name.", group_name},
};

} // namespace

std::span<const FieldInfo> user_fields() {
    return kUser;
}
std::span<const FieldInfo> group_fields() {
    return kGroup;
}

} // namespace tiercel::filter
