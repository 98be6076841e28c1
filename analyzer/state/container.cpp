// SPDX-License-Identifier: Apache-2.0
//
// Implements the table of cgroup names that runtimes use, and the search for the innermost
// container.
#include "analyzer/state/container.h"

#include <algorithm>
#include <charconv>

#include "analyzer/state/thread.h"

namespace tiercel::state {
namespace {

constexpr std::size_t kIdLength = 64;

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// 64 hexadecimal digits, or ECS's form: 32 digits, a dash and up to 10 more.
bool is_container_id(std::string_view text) {
    if (text.size() == kIdLength && is_hex(text))
        return true;
    const std::size_t dash = text.find('-');
    return dash == 32 && text.size() > 33 && text.size() <= 43 && is_hex(text.substr(0, 32)) &&
           std::ranges::all_of(text.substr(33), [](char c) { return c >= '0' && c <= '9'; });
}

enum class IdKind : std::uint8_t {
    digits,  // an id: 64 hexadecimal digits, or ECS's form
    name,    // a name
    escaped, // a name in which systemd has escaped characters as "\xHH"
    none,    // no container, although the name looks like one
};

// A cgroup's name, by what stands before and after the id, and the name of the cgroup above it.
struct Pattern {
    std::string_view above;  // empty: any
    std::string_view prefix; // of the name; "*-" and "*:" stand for any prefix that ends so
    std::string_view suffix;
    IdKind kind;
    ContainerRuntime runtime;
};

// The first pattern that matches a name decides. A row for each layout seen in the wild is in
// tests/unit/state/containers_test.cpp.
constexpr Pattern kPatterns[] = {
    // Monitors of podman and CRI-O run beside the container, and LXC's runs on the host.
    {"", "libpod-conmon-", "", IdKind::none, ContainerRuntime::podman},
    {"", "crio-conmon-", "", IdKind::none, ContainerRuntime::crio},
    {"", "lxc.monitor", "", IdKind::none, ContainerRuntime::lxc},
    {"", "docker-", ".scope", IdKind::digits, ContainerRuntime::docker},
    {"docker", "", "", IdKind::digits, ContainerRuntime::docker},
    {"", "cri-containerd-", ".scope", IdKind::digits, ContainerRuntime::containerd},
    {"", "nerdctl-", ".scope", IdKind::digits, ContainerRuntime::containerd},
    {"", "*:cri-containerd:", "", IdKind::digits, ContainerRuntime::containerd},
    {"", "crio-", "", IdKind::digits, ContainerRuntime::crio},
    {"", "libpod-payload-", "", IdKind::digits, ContainerRuntime::podman}, // quadlets
    {"", "libpod-", "", IdKind::digits, ContainerRuntime::podman},
    {"", "", "", IdKind::digits, ContainerRuntime::unknown},
    {"", "*-", "", IdKind::digits, ContainerRuntime::unknown},
    {"", "*:", "", IdKind::digits, ContainerRuntime::unknown},
    {"lxc", "", "", IdKind::name, ContainerRuntime::lxc}, // LXC 3, Proxmox
    {"lxc.payload", "", "", IdKind::name, ContainerRuntime::lxc},
    {"", "lxc.payload.", "", IdKind::name, ContainerRuntime::lxc}, // LXC 4, LXD, Incus
    {"", "bpm-", "", IdKind::name, ContainerRuntime::bpm},         // Cloud Foundry
    // libvirt registers virtual machines with machined; these are no containers.
    {"", "machine-qemu\\x2d", ".scope", IdKind::none, ContainerRuntime::unknown},
    {"", "machine-lxc\\x2d", ".scope", IdKind::escaped, ContainerRuntime::lxc}, // libvirt's LXC
    {"", "machine-", ".scope", IdKind::escaped, ContainerRuntime::nspawn},
    {"", "systemd-nspawn@", ".service", IdKind::escaped, ContainerRuntime::nspawn},
};

// containerd's own command, ctr, names the cgroup "/NAMESPACE/NAME". Other programs do so as well,
// so only the namespaces of these rows count, and only at the top.
constexpr std::string_view kNamespaces[] = {"default", "k8s.io", "buildkit"};

// Removes the pattern's prefix and suffix from `name`. Returns false if it does not have them.
bool strip(std::string_view& name, const Pattern& pattern) {
    std::string_view prefix = pattern.prefix;
    if (prefix.starts_with('*')) {
        prefix.remove_prefix(1);
        const std::size_t at = name.rfind(prefix);
        if (at == std::string_view::npos)
            return false;
        name.remove_prefix(at);
    }
    if (!name.starts_with(prefix))
        return false;
    name.remove_prefix(prefix.size());
    if (pattern.kind == IdKind::digits && name.ends_with(".scope"))
        name.remove_suffix(6); // systemd's cgroup driver has it, and cgroupfs has not
    else if (pattern.kind == IdKind::digits)
        return true;
    else if (!name.ends_with(pattern.suffix))
        return false;
    else
        name.remove_suffix(pattern.suffix.size());
    return true;
}

// Replaces "\xHH" by the character, as systemd-escape(1) --unescape does.
std::string unescape(std::string_view name) {
    std::string out;
    while (!name.empty()) {
        unsigned code = 0;
        if (name.starts_with("\\x") && name.size() >= 4 &&
            std::from_chars(name.data() + 2, name.data() + 4, code, 16).ptr == name.data() + 4) {
            out += static_cast<char>(code);
            name.remove_prefix(4);
        } else {
            out += name.front();
            name.remove_prefix(1);
        }
    }
    return out;
}

// The container of one cgroup's name. Returns false if no pattern matches; the id is empty if the
// name is that of no container.
bool container_of(std::string_view above, std::string_view name, ContainerName& found) {
    for (const Pattern& pattern : kPatterns) {
        std::string_view id = name;
        if ((!pattern.above.empty() && pattern.above != above) || !strip(id, pattern))
            continue;
        switch (pattern.kind) {
        case IdKind::digits:
            if (!is_container_id(id))
                continue;
            found = {std::string(id.substr(0, kShownIdLength)), id, pattern.runtime};
            return true;
        case IdKind::name:
            if (id.empty())
                continue;
            found = {std::string(id), {}, pattern.runtime};
            return true;
        case IdKind::escaped: found = {unescape(id), {}, pattern.runtime}; return true;
        case IdKind::none: found = {}; return true;
        }
    }
    return false;
}

// Calls visit(path) for the path of each subsystem.
template <typename Visit>
void for_each_path(std::string_view cgroups, Visit&& visit) {
    for_each_string(cgroups, [&](std::string_view cgroup) {
        const std::size_t equals = cgroup.find('=');
        visit(equals == std::string_view::npos ? cgroup : cgroup.substr(equals + 1));
    });
}

template <typename Visit>
void for_each_segment(std::string_view path, Visit&& visit) {
    while (!path.empty()) {
        const std::size_t end = path.find('/');
        if (end != 0)
            visit(path.substr(0, end));
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
}

// The innermost container of one path.
ContainerName container_in_path(std::string_view path) {
    ContainerName found;
    std::string_view above;
    std::size_t depth = 0;
    for_each_segment(path, [&](std::string_view segment) {
        if (!container_of(above, segment, found) && depth == 1 &&
            std::ranges::find(kNamespaces, above) != std::end(kNamespaces))
            found = {std::string(segment), {}, ContainerRuntime::containerd};
        above = segment;
        ++depth;
    });
    return found;
}

} // namespace

std::string_view name(ContainerRuntime runtime) {
    switch (runtime) {
    case ContainerRuntime::unknown: return "";
    case ContainerRuntime::docker: return "docker";
    case ContainerRuntime::podman: return "podman";
    case ContainerRuntime::containerd: return "containerd";
    case ContainerRuntime::crio: return "cri-o";
    case ContainerRuntime::nspawn: return "systemd-nspawn";
    case ContainerRuntime::lxc: return "lxc";
    case ContainerRuntime::bpm: return "bpm";
    }
    return "";
}

// In cgroup v1 hybrids only some subsystems have the container's path.
ContainerName container_name(std::string_view cgroups) {
    ContainerName found;
    for_each_path(cgroups, [&](std::string_view path) {
        if (found.id.empty())
            found = container_in_path(path);
    });
    return found;
}

std::string pod_uid(std::string_view cgroups) {
    constexpr std::size_t kUidLength = 36;
    std::string found;
    const auto look_at = [&](std::string_view segment) {
        // "kubepods-burstable-pod1234_5678….slice", "pod1234-5678-…".
        const std::size_t pod = segment.rfind("pod");
        if (!found.empty() || pod == std::string_view::npos ||
            segment.size() < pod + 3 + kUidLength)
            return;
        std::string uid(segment.substr(pod + 3, kUidLength));
        std::ranges::replace(uid, '_', '-');
        if (uid[8] == '-' && uid[13] == '-' && uid[18] == '-' && uid[23] == '-')
            found = std::move(uid);
    };
    for_each_path(cgroups, [&](std::string_view path) { for_each_segment(path, look_at); });
    return found;
}

} // namespace tiercel::state
