// SPDX-License-Identifier: Apache-2.0
//
// Recognises containers by the names of their cgroups, so no runtime has to be asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiercel::state {

// Who made the container. `unknown`: its id tells that it is one, but not whose.
enum class ContainerRuntime : std::uint8_t { unknown, docker, podman, containerd, crio, nspawn };

// In Falco's words ("docker", "cri-o", …); empty for `unknown`.
std::string_view name(ContainerRuntime runtime);

struct ContainerName {
    std::string_view id;      // as shown: the first 12 characters, or systemd-nspawn's name
    std::string_view full_id; // 64 hex digits, or ECS's form of them; empty for systemd-nspawn
    ContainerRuntime runtime = ContainerRuntime::unknown;
};

// The container whose process has these cgroups ("subsystem=path", each NUL-terminated); its id is
// empty when none is recognised. Views into `cgroups`.
ContainerName container_name(std::string_view cgroups);

inline std::string_view container_id(std::string_view cgroups) {
    return container_name(cgroups).id;
}

// The pod's uid, where Kubernetes is the one who made the cgroup: with '-' between its parts.
std::string pod_uid(std::string_view cgroups);

} // namespace tiercel::state
