// SPDX-License-Identifier: Apache-2.0
//
// Fields of who owns the thread: user, group and container.
#include <string>

#include "analyzer/filter/fields_values.h"
#include "analyzer/state/container.h"

namespace tiercel::filter {
namespace {

using state::kNoId;
using state::Thread;

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

// "host" outside of any container.
Values container(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::string_view id = event.thread->container_id.view();
    return text_value(single, id.empty() ? "host" : id);
}

// Only the host's name is known; those of containers are the runtime's to tell.
Values host_name(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr || !event.thread->container_id.empty())
        return no_value();
    return text_value(single, "host");
}

Values pod(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::string uid = state::pod_uid(event.thread->cgroups.view());
    return uid.empty() ? no_value() : text_value(single, event.arena->copy(uid));
}

Values unknown(const EventContext&, const Argument&, Value&) {
    return no_value();
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr ValueType B = ValueType::boolean;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;
constexpr std::string_view kRuntime = "Always without a value: the container runtime is not asked.";

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

constexpr FieldInfo kContainer[] = {
    {"container.id", "CHARBUF", T,
     "First 12 characters of the container's id, from its cgroups; 'host' outside of containers.",
     container, 0, kNone, kSingle, 1},
    {"container.name", "CHARBUF", T, "'host' outside of containers; else without a value.",
     host_name, 0, kNone, kSingle, 1},
    {"k8s.pod.uid", "CHARBUF", T, "Uid of the Kubernetes pod, from its cgroups.", pod, 0, kNone,
     kSingle, 10},
    {"container.full_id", "CHARBUF", T, kRuntime, unknown},
    {"container.image", "CHARBUF", T, kRuntime, unknown},
    {"container.image.id", "CHARBUF", T, kRuntime, unknown},
    {"container.type", "CHARBUF", T, kRuntime, unknown},
    {"container.privileged", "BOOL", B, kRuntime, unknown},
    {"container.mounts", "CHARBUF", T, kRuntime, unknown},
    {"container.mount", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.mount.source", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.mount.dest", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.mount.mode", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.mount.rdwr", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.mount.propagation", "CHARBUF", T, kRuntime, unknown, 0,
     FieldArgument::optional_key},
    {"container.image.repository", "CHARBUF", T, kRuntime, unknown},
    {"container.image.tag", "CHARBUF", T, kRuntime, unknown},
    {"container.image.digest", "CHARBUF", T, kRuntime, unknown},
    {"container.healthcheck", "CHARBUF", T, kRuntime, unknown},
    {"container.liveness_probe", "CHARBUF", T, kRuntime, unknown},
    {"container.readiness_probe", "CHARBUF", T, kRuntime, unknown},
    {"container.start_ts", "ABSTIME", U, kRuntime, unknown},
    {"container.duration", "RELTIME", U, kRuntime, unknown},
    {"container.ip", "CHARBUF", T, kRuntime, unknown},
    {"container.cni.json", "CHARBUF", T, kRuntime, unknown},
    {"container.host_pid", "BOOL", B, kRuntime, unknown},
    {"container.host_network", "BOOL", B, kRuntime, unknown},
    {"container.host_ipc", "BOOL", B, kRuntime, unknown},
    {"container.label", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"container.labels", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.name", "CHARBUF", T, kRuntime, unknown},
    {"k8s.ns.name", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.id", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.sandbox_id", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.full_sandbox_id", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.label", "CHARBUF", T, kRuntime, unknown, 0, FieldArgument::optional_key},
    {"k8s.pod.labels", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.ip", "CHARBUF", T, kRuntime, unknown},
    {"k8s.pod.cni.json", "CHARBUF", T, kRuntime, unknown},
};

} // namespace

std::span<const FieldInfo> user_fields() {
    return kUser;
}
std::span<const FieldInfo> group_fields() {
    return kGroup;
}
std::span<const FieldInfo> container_fields() {
    return kContainer;
}

} // namespace tiercel::filter
