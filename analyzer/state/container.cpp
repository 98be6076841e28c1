// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/container.h"

#include <algorithm>
#include <utility>

#include "analyzer/state/thread.h"

namespace tiercel::state {
namespace {

constexpr std::size_t kIdLength = 64;
constexpr std::size_t kShownLength = 12; // of an id, everywhere

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// 64 hex digits, or what ECS makes of them: 32 digits, a dash and up to 10 more.
bool is_container_id(std::string_view text) {
    if (text.size() == kIdLength && is_hex(text))
        return true;
    const std::size_t dash = text.find('-');
    return dash == 32 && text.size() > 33 && text.size() <= 43 && is_hex(text.substr(0, 32)) &&
           std::ranges::all_of(text.substr(33), [](char c) { return c >= '0' && c <= '9'; });
}

// "docker-ID.scope", "cri-containerd-ID.scope", "crio-ID", "libpod-ID.scope",
// "…:cri-containerd:ID".
ContainerRuntime runtime_by(std::string_view prefix) {
    constexpr std::pair<std::string_view, ContainerRuntime> kPrefixes[] = {
        {"docker", ContainerRuntime::docker},
        {"cri-containerd", ContainerRuntime::containerd},
        {"crio", ContainerRuntime::crio},
        {"libpod", ContainerRuntime::podman}};
    for (const auto& [ending, runtime] : kPrefixes)
        if (prefix.ends_with(ending))
            return runtime;
    return ContainerRuntime::unknown;
}

// One of these, or "ID" alone.
ContainerName container_in_segment(std::string_view segment) {
    if (segment.ends_with(".scope"))
        segment.remove_suffix(6);
    if (is_container_id(segment))
        return {segment.substr(0, kShownLength), segment, ContainerRuntime::unknown};
    if (segment.size() > kIdLength) {
        const char before = segment[segment.size() - kIdLength - 1];
        const std::string_view id = segment.substr(segment.size() - kIdLength);
        const std::string_view prefix = segment.substr(0, segment.size() - kIdLength - 1);
        // Podman's and CRI-O's monitors live beside the container, not in it.
        if ((before == '-' || before == ':') && is_hex(id) && !prefix.ends_with("-conmon"))
            return {id.substr(0, kShownLength), id, runtime_by(prefix)};
    }
    return {};
}

std::string_view machine_in_segment(std::string_view segment) {
    // systemd-nspawn, through machined: "machine-NAME.scope"; or as a unit:
    // "systemd-nspawn@NAME.service".
    if (segment.starts_with("machine-") && segment.ends_with(".scope"))
        return segment.substr(8, segment.size() - 14);
    if (segment.starts_with("systemd-nspawn@") && segment.ends_with(".service"))
        return segment.substr(15, segment.size() - 23);
    return {};
}

template <typename Visit>
void for_each_segment(std::string_view cgroups, Visit&& visit) {
    for_each_string(cgroups, [&](std::string_view cgroup) {
        const std::size_t equals = cgroup.find('=');
        std::string_view path =
            equals == std::string_view::npos ? cgroup : cgroup.substr(equals + 1);
        while (!path.empty()) {
            const std::size_t end = path.find('/');
            visit(path.substr(0, end));
            path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
        }
    });
}

} // namespace

std::string_view name(ContainerRuntime runtime) {
    constexpr std::string_view kNames[] = {"",           "docker", "podman",
                                           "containerd", "cri-o",  "systemd-nspawn"};
    return kNames[static_cast<std::size_t>(runtime)];
}

ContainerName container_name(std::string_view cgroups) {
    ContainerName found;
    std::string_view parent;
    for_each_segment(cgroups, [&](std::string_view segment) {
        if (!found.id.empty())
            return;
        found = container_in_segment(segment);
        // "/docker/ID": the cgroupfs driver
        if (!found.id.empty() && parent == "docker")
            found.runtime = ContainerRuntime::docker;
        if (found.id.empty())
            found = {machine_in_segment(segment), {}, ContainerRuntime::nspawn};
        parent = segment;
    });
    return found.id.empty() ? ContainerName() : found;
}

std::string pod_uid(std::string_view cgroups) {
    constexpr std::size_t kUidLength = 36;
    std::string found;
    for_each_segment(cgroups, [&](std::string_view segment) {
        // "kubepods-burstable-pod1234_5678….slice", "pod1234-5678-…".
        const std::size_t pod = segment.rfind("pod");
        if (!found.empty() || pod == std::string_view::npos ||
            segment.size() < pod + 3 + kUidLength)
            return;
        std::string uid(segment.substr(pod + 3, kUidLength));
        std::ranges::replace(uid, '_', '-');
        if (uid[8] == '-' && uid[13] == '-' && uid[18] == '-' && uid[23] == '-')
            found = std::move(uid);
    });
    return found;
}

} // namespace tiercel::state
