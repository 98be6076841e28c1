// SPDX-License-Identifier: Apache-2.0
//
// Fields of the container that the thread runs in. Ids come from cgroups; all else is what its
// runtime has said, and has no value before that.
#include <algorithm>
#include <string>

#include "analyzer/fields/values.h"
#include "analyzer/state/container.h"
#include "analyzer/state/container_table.h"

namespace tiercel::filter {
namespace {

using state::Container;

bool on_host(const EventContext& event) {
    return event.thread != nullptr && event.thread->container_id.empty();
}

// nullptr: the host, or nothing has been said.
const Container* told(const EventContext& event) {
    if (event.thread == nullptr || event.thread->container_id.empty())
        return nullptr;
    return event.state->containers().find(event.thread->container_id.view());
}

Values id(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    return text_value(single, on_host(event) ? "host" : event.thread->container_id.view());
}

Values full_id(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::string_view full = state::container_name(event.thread->cgroups.view()).full_id;
    return full.empty() ? no_value() : text_value(single, full);
}

// Who answered knows best; else what the cgroup's name tells.
Values type(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    if (on_host(event))
        return text_value(single, "host");
    const Container* container = told(event);
    const std::string_view text = state::name(
        container != nullptr ? container->runtime
                             : state::container_name(event.thread->cgroups.view()).runtime);
    return text.empty() ? no_value() : text_value(single, text);
}

// The texts of Container, by variant.
constexpr std::string Container::*kTexts[] = {
    &Container::name,       &Container::image,    &Container::image_id,
    &Container::repository, &Container::tag,      &Container::digest,
    &Container::ip,         &Container::pod_name, &Container::pod_namespace};
enum Text : std::uint16_t { NAME, IMAGE, IMAGE_ID, REPOSITORY, TAG, DIGEST, IP, POD, NAMESPACE };

Values text(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.variant == NAME && on_host(event))
        return text_value(single, "host");
    const Container* container = told(event);
    if (container == nullptr)
        return no_value();
    const std::string& value = container->*kTexts[argument.variant];
    return value.empty() ? no_value() : text_value(single, value);
}

constexpr std::optional<bool> Container::*kFlags[] = {
    &Container::privileged, &Container::host_pid, &Container::host_network, &Container::host_ipc};
enum Flag : std::uint16_t { PRIVILEGED, HOST_PID, HOST_NETWORK, HOST_IPC };

Values flag(const EventContext& event, const Argument& argument, Value& single) {
    const Container* container = told(event);
    if (container == nullptr || !(container->*kFlags[argument.variant]))
        return no_value();
    return bool_value(single, *(container->*kFlags[argument.variant]));
}

// One, or without a key all of them as "name:value, name:value".
Values labels(const EventContext& event, const Argument& argument, Value& single) {
    const Container* container = told(event);
    if (container == nullptr)
        return no_value();
    if (!argument.key.empty()) {
        const auto found = std::ranges::find(container->labels, argument.key,
                                             &std::pair<std::string, std::string>::first);
        return found == container->labels.end() ? no_value() : text_value(single, found->second);
    }
    std::string& all = event.arena->scratch();
    for (const auto& [name, value] : container->labels) {
        all += all.empty() ? "" : ", ";
        all += name;
        all += ':';
        all += value;
    }
    return all.empty() ? no_value() : text_value(single, event.arena->copy(all));
}

void append_mount(const Container::Mount& mount, std::string& out) {
    out += mount.source;
    out += ':';
    out += mount.destination;
    out += ':';
    out += mount.mode;
    out += mount.writable ? ":true:" : ":false:";
    out += mount.propagation;
}

enum MountPart : std::uint16_t { ALL, SOURCE, DESTINATION, MODE, WRITABLE, PROPAGATION };

std::string_view part_of(const Container::Mount& mount, std::uint16_t part) {
    switch (part) {
    case SOURCE: return mount.source;
    case DESTINATION: return mount.destination;
    case MODE: return mount.mode;
    case WRITABLE: return mount.writable ? "true" : "false";
    default: return mount.propagation;
    }
}

// The key of one mount: its number, or its path: inside the container, for its source outside.
const Container::Mount* find_mount(const Container& container, const Argument& argument) {
    if (argument.index >= 0) {
        const auto index = static_cast<std::size_t>(argument.index);
        return index < container.mounts.size() ? &container.mounts[index] : nullptr;
    }
    const auto path = argument.variant == DESTINATION ? &Container::Mount::source
                                                      : &Container::Mount::destination;
    const auto found = std::ranges::find(container.mounts, argument.key, path);
    return found == container.mounts.end() ? nullptr : &*found;
}

Values mount(const EventContext& event, const Argument& argument, Value& single) {
    const Container* container = told(event);
    if (container == nullptr || argument.key.empty())
        return no_value();
    const Container::Mount* found = find_mount(*container, argument);
    if (found == nullptr)
        return no_value();
    if (argument.variant != ALL)
        return text_value(single, part_of(*found, argument.variant));
    std::string& whole = event.arena->scratch();
    append_mount(*found, whole);
    return text_value(single, event.arena->copy(whole));
}

Values mounts(const EventContext& event, const Argument&, Value& single) {
    const Container* container = told(event);
    if (container == nullptr)
        return no_value();
    std::string& all = event.arena->scratch();
    for (const Container::Mount& each : container->mounts) {
        all += all.empty() ? "" : ",";
        append_mount(each, all);
    }
    return all.empty() ? no_value() : text_value(single, event.arena->copy(all));
}

Values start(const EventContext& event, const Argument&, Value& single) {
    const Container* container = told(event);
    return container == nullptr || container->started_ns == 0
               ? no_value()
               : unsigned_value(single, container->started_ns);
}

Values duration(const EventContext& event, const Argument&, Value& single) {
    const Container* container = told(event);
    return container == nullptr || container->started_ns == 0 ||
                   container->started_ns > event.event->ts()
               ? no_value()
               : unsigned_value(single, event.event->ts() - container->started_ns);
}

Values pod_uid(const EventContext& event, const Argument&, Value& single) {
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
constexpr ValueType B = ValueType::boolean;
constexpr auto kNone = FieldArgument::none;
constexpr auto kKey = FieldArgument::optional_key;
constexpr auto kSingle = Plurality::single;
// What is asked of runtimes does not say these.
constexpr std::string_view kNever = "Always without a value: it is not asked for.";

constexpr FieldInfo kContainer[] = {
    {"container.id", "CHARBUF", T,
     "First 12 characters of the container's id, from its cgroups; 'host' outside of containers.",
     id, 0, kNone, kSingle, 1},
    {"container.full_id", "CHARBUF", T, "The container's whole id, from its cgroups.", full_id, 0,
     kNone, kSingle, 10},
    {"container.type", "CHARBUF", T,
     "docker, podman, containerd, cri-o, systemd-nspawn; 'host' outside of containers.", type, 0,
     kNone, kSingle, 10},
    {"container.name", "CHARBUF", T, "Its name; 'host' outside of containers.", text, NAME},
    {"container.image", "CHARBUF", T, "Its image as it was named: repository, tag, digest.", text,
     IMAGE},
    {"container.image.id", "CHARBUF", T, "First 12 characters of its image's id.", text, IMAGE_ID},
    {"container.image.repository", "CHARBUF", T, "The image's name without tag and digest.", text,
     REPOSITORY},
    {"container.image.tag", "CHARBUF", T, "The image's tag, if it was named with one.", text, TAG},
    {"container.image.digest", "CHARBUF", T,
     "The image's digest: of Docker and Podman if it was named with it.", text, DIGEST},
    {"container.privileged", "BOOL", B, "Whether it is privileged; of Docker and Podman.", flag,
     PRIVILEGED},
    {"container.host_pid", "BOOL", B, "Whether it has the host's processes.", flag, HOST_PID},
    {"container.host_network", "BOOL", B, "Whether it has the host's network.", flag, HOST_NETWORK},
    {"container.host_ipc", "BOOL", B, "Whether it has the host's IPC.", flag, HOST_IPC},
    {"container.ip", "CHARBUF", T, "Its address; of Docker and Podman.", text, IP},
    {"container.label", "CHARBUF", T, "One of its labels.", labels, 0, kKey},
    {"container.labels", "CHARBUF", T, "All its labels: name:value, joined by ', '.", labels},
    {"container.mounts", "CHARBUF", T,
     "Its mounts: source:destination:mode:writable:propagation, joined by ','.", mounts},
    {"container.mount", "CHARBUF", T, "One mount, by its number or destination.", mount, ALL, kKey},
    {"container.mount.source", "CHARBUF", T, "A mount's source, by number or destination.", mount,
     SOURCE, kKey},
    {"container.mount.dest", "CHARBUF", T, "A mount's destination, by number or source.", mount,
     DESTINATION, kKey},
    {"container.mount.mode", "CHARBUF", T, "A mount's mode, by number or destination.", mount, MODE,
     kKey},
    {"container.mount.rdwr", "CHARBUF", T, "Whether a mount may be written to.", mount, WRITABLE,
     kKey},
    {"container.mount.propagation", "CHARBUF", T, "A mount's propagation.", mount, PROPAGATION,
     kKey},
    {"container.start_ts", "ABSTIME", U, "When it began, ns; of containerd and CRI-O.", start},
    {"container.duration", "RELTIME", U, "Time since then, ns.", duration},
    {"container.healthcheck", "CHARBUF", T, kNever, unknown},
    {"container.liveness_probe", "CHARBUF", T, kNever, unknown},
    {"container.readiness_probe", "CHARBUF", T, kNever, unknown},
    {"container.cni.json", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.uid", "CHARBUF", T, "Uid of the Kubernetes pod, from its cgroups.", pod_uid, 0, kNone,
     kSingle, 10},
    {"k8s.pod.name", "CHARBUF", T, "Name of the pod, from the container's labels.", text, POD},
    {"k8s.ns.name", "CHARBUF", T, "Namespace of the pod, from the same.", text, NAMESPACE},
    {"k8s.pod.id", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.sandbox_id", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.full_sandbox_id", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.label", "CHARBUF", T, kNever, unknown, 0, kKey},
    {"k8s.pod.labels", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.ip", "CHARBUF", T, kNever, unknown},
    {"k8s.pod.cni.json", "CHARBUF", T, kNever, unknown},
};

} // namespace

std::span<const FieldInfo> container_fields() {
    return kContainer;
}

} // namespace tiercel::filter
