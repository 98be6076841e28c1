// SPDX-License-Identifier: Apache-2.0
//
// Fields of the container that the thread runs in. Ids come from cgroups. All other fields come
// from the container's runtime, and have no value before its answer.
#include "analyzer/state/container.h"

#include <algorithm>
#include <string>

#include "analyzer/fields/values.h"
#include "analyzer/state/container_table.h"

namespace tiercel::filter {
namespace {

using state::Container;
using state::Thread;

bool on_host(const EventContext& event) {
    return event.thread != nullptr && event.thread->container_id.empty();
}

// Returns the runtime's answer; nullptr on the host and before the answer.
const Container* answer(const EventContext& event) {
    if (event.thread == nullptr || event.thread->container_id.empty())
        return nullptr;
    return event.state->containers().find(event.thread->container_id.view());
}

std::string_view id(const Thread& thread) {
    return thread.container_id.empty() ? "host" : thread.container_id.view();
}

std::optional<std::string_view> if_any(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string_view> full_id(const Thread& thread) {
    return if_any(state::container_name(thread.cgroups.view()).full_id);
}

// Returns the runtime that answered or, before an answer, the runtime by the cgroup's name.
std::optional<std::string_view> type(const EventContext& event, const Thread& thread) {
    if (on_host(event))
        return "host";
    const Container* container = answer(event);
    return if_any(state::name(container != nullptr
                                  ? container->runtime
                                  : state::container_name(thread.cgroups.view()).runtime));
}

// No value if nothing is known of the container.
template <auto getter>
Values of_container(const EventContext& event, const Argument&, Value& single) {
    const Container* container = answer(event);
    return container != nullptr ? get<getter>(event, *container, single) : no_value();
}

template <std::string Container::*text>
std::optional<std::string_view> text_of(const Container& container) {
    return if_any(container.*text);
}

Values name(const EventContext& event, const Argument& argument, Value& single) {
    return on_host(event) ? text_value(single, "host")
                          : of_container<text_of<&Container::name>>(event, argument, single);
}

// The label with the name in brackets; without one, all labels as "name:value, name:value".
template <Container::Labels Container::*which>
Values labels(const EventContext& event, const Argument& argument, Value& single) {
    const Container* container = answer(event);
    if (container == nullptr)
        return no_value();
    if (!argument.key.empty()) {
        const auto found = std::ranges::find(container->*which, argument.key,
                                             &std::pair<std::string, std::string>::first);
        return found == (container->*which).end() ? no_value() : text_value(single, found->second);
    }
    std::string& all = event.arena->scratch();
    for (const auto& [name, value] : container->*which) {
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

// Finds a mount by its number, or by the path in `path`.
const Container::Mount* find_mount(const Container& container, const Argument& argument,
                                   std::string Container::Mount::*path) {
    if (argument.index >= 0) {
        const auto index = static_cast<std::size_t>(argument.index);
        return index < container.mounts.size() ? &container.mounts[index] : nullptr;
    }
    const auto found = std::ranges::find(container.mounts, argument.key, path);
    return found == container.mounts.end() ? nullptr : &*found;
}

// A part of the mount in brackets, which is found by number or by its `path`.
template <auto getter, std::string Container::Mount::*path = &Container::Mount::destination>
Values of_mount(const EventContext& event, const Argument& argument, Value& single) {
    const Container* container = answer(event);
    if (container == nullptr || argument.key.empty())
        return no_value();
    const Container::Mount* found = find_mount(*container, argument, path);
    return found != nullptr ? get<getter>(event, *found, single) : no_value();
}

void append_whole_mount(std::string& out, const Container::Mount& mount) {
    append_mount(mount, out);
}

std::string_view writable(const Container::Mount& mount) {
    return mount.writable ? "true" : "false";
}

std::optional<std::string> mounts(const Container& container) {
    std::string all;
    for (const Container::Mount& each : container.mounts) {
        all += all.empty() ? "" : ",";
        append_mount(each, all);
    }
    return all.empty() ? std::nullopt : std::optional(std::move(all));
}

std::optional<std::uint64_t> start(const Container& container) {
    return container.started_ns == 0 ? std::nullopt : std::optional(container.started_ns);
}

std::optional<std::uint64_t> duration(const EventContext& event, const Container& container) {
    if (container.started_ns == 0 || container.started_ns > event.event->ts())
        return std::nullopt;
    return event.event->ts() - container.started_ns;
}

std::optional<std::string_view> short_sandbox_id(const Container& container) {
    return if_any(std::string_view(container.sandbox_id).substr(0, state::kShownIdLength));
}

std::optional<std::string> pod_uid(const Thread& thread) {
    std::string uid = state::pod_uid(thread.cgroups.view());
    return uid.empty() ? std::nullopt : std::optional(std::move(uid));
}

constexpr std::string_view kNever =
    "Always without a value, because the runtime is not asked for it.";

using Mount = Container::Mount;

constexpr FieldInfo kContainer[] = {
    {"container.id", kText,
     "First 12 characters of the container's id, from its cgroups; 'host' outside of containers.",
     of_thread<id>, cost(1)},
    {"container.full_id", kText, "The container's whole id, from its cgroups.", of_thread<full_id>,
     cost(10)},
    {"container.type", kText,
     "docker, podman, containerd, cri-o, systemd-nspawn; 'host' outside of containers.",
     of_thread<type>, cost(10)},
    {"container.name", kText, "Its name; 'host' outside of containers.", name},
    {"container.image", kText, "Its image as it was named: repository, tag, digest.",
     of_container<text_of<&Container::image>>},
    {"container.image.id", kText, "First 12 characters of its image's id.",
     of_container<text_of<&Container::image_id>>},
    {"container.image.repository", kText, "The image's name without tag and digest.",
     of_container<text_of<&Container::repository>>},
    {"container.image.tag", kText, "The image's tag, if it was named with one.",
     of_container<text_of<&Container::tag>>},
    {"container.image.digest", kText,
     "The image's digest; with Docker and Podman if it was named with it.",
     of_container<text_of<&Container::digest>>},
    {"container.privileged", kBool, "Whether it is privileged.",
     of_container<&Container::privileged>},
    {"container.host_pid", kBool, "Whether it has the host's processes.",
     of_container<&Container::host_pid>},
    {"container.host_network", kBool, "Whether it has the host's network.",
     of_container<&Container::host_network>},
    {"container.host_ipc", kBool, "Whether it has the host's IPC.",
     of_container<&Container::host_ipc>},
    {"container.ip", kText, "Its address; in a pod, the pod's.",
     of_container<text_of<&Container::ip>>},
    {"container.label", kText, "One of its labels: container.label[NAME].",
     labels<&Container::labels>, kKey},
    {"container.labels", kText, "All its labels: name:value, joined by ', '.",
     labels<&Container::labels>},
    {"container.mounts", kText,
     "Its mounts: source:destination:mode:writable:propagation, joined by ','.",
     of_container<mounts>},
    {"container.mount", kText, "One mount, by its number or destination.",
     of_mount<append_whole_mount>, kKey},
    {"container.mount.source", kText, "A mount's source, by number or destination.",
     of_mount<&Mount::source>, kKey},
    {"container.mount.dest", kText, "A mount's destination, by number or source.",
     of_mount<&Mount::destination, &Mount::source>, kKey},
    {"container.mount.mode", kText, "A mount's mode, by number or destination.",
     of_mount<&Mount::mode>, kKey},
    {"container.mount.rdwr", kText, "Whether a mount may be written to.", of_mount<writable>, kKey},
    {"container.mount.propagation", kText, "A mount's propagation.", of_mount<&Mount::propagation>,
     kKey},
    {"container.start_ts", kAbsTime, "When it began, ns; with containerd and CRI-O.",
     of_container<start>},
    {"container.duration", kRelTime, "Time since then, ns.", of_container<duration>},
    {"container.healthcheck", kText, kNever, never},
    {"container.liveness_probe", kText, kNever, never},
    {"container.readiness_probe", kText, kNever, never},
    {"container.cni.json", kText, kNever, never},
    {"k8s.pod.uid", kText, "Uid of the Kubernetes pod, from its cgroups.", of_thread<pod_uid>,
     cost(10)},
    {"k8s.pod.name", kText, "Name of the pod.", of_container<text_of<&Container::pod_name>>},
    {"k8s.ns.name", kText, "Namespace of the pod.",
     of_container<text_of<&Container::pod_namespace>>},
    {"k8s.pod.id", kText, kNever, never},
    {"k8s.pod.sandbox_id", kText, "First 12 characters of the id of the pod's sandbox.",
     of_container<short_sandbox_id>},
    {"k8s.pod.full_sandbox_id", kText, "The whole id of the pod's sandbox.",
     of_container<text_of<&Container::sandbox_id>>},
    {"k8s.pod.label", kText, "One of the pod's labels: k8s.pod.label[NAME].",
     labels<&Container::pod_labels>, kKey},
    {"k8s.pod.labels", kText, "All its labels: name:value, joined by ', '.",
     labels<&Container::pod_labels>},
    {"k8s.pod.ip", kText, "The pod's address.", of_container<text_of<&Container::pod_ip>>},
    {"k8s.pod.cni.json", kText, kNever, never},
};

// These come from the cgroups of the process.
constexpr std::string_view kFromCgroups[] = {"container.id", "container.full_id", "container.type",
                                             "k8s.pod.uid"};

} // namespace

bool comes_from_runtime(const FieldInfo& field) {
    const bool is_ours = &field >= std::begin(kContainer) && &field < std::end(kContainer);
    return is_ours && std::ranges::find(kFromCgroups, field.name) == std::end(kFromCgroups);
}

std::span<const FieldInfo> container_fields() {
    return kContainer;
}

} // namespace tiercel::filter
