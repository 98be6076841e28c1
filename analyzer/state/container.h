// SPDX-License-Identifier: Apache-2.0
//
// Finds the container of a process from the names of its cgroups, without asking a runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tiercel::state {

// The runtime that made the container; `unknown` if the cgroup has a container's id but no known
// name.
enum class ContainerRuntime : std::uint8_t {
    unknown,
    docker,
    podman,
    containerd,
    crio,
    nspawn,
    lxc,
    bpm,
};

// How many digits of the ids of containers, pods and images are shown.
constexpr std::size_t kShownIdLength = 12;

// The name that Falco uses ("docker", "cri-o", …); empty for `unknown`.
std::string_view name(ContainerRuntime runtime);

struct ContainerName {
    std::string id; // as shown: the first 12 digits, or the name of an LXC container or machine
    std::string_view full_id; // the id as the runtime knows it; empty if it is a name
    ContainerRuntime runtime = ContainerRuntime::unknown;
};

// The innermost container of a process with these cgroups ("subsystem=path", each NUL-terminated).
// Its id is empty if there is none. `full_id` points into `cgroups`.
ContainerName container_name(std::string_view cgroups);

inline std::string container_id(std::string_view cgroups) {
    return container_name(cgroups).id;
}

// The uid of the pod, with '-' between its parts; empty if the cgroup is not Kubernetes'.
std::string pod_uid(std::string_view cgroups);

} // namespace tiercel::state
