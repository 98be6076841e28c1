// SPDX-License-Identifier: Apache-2.0
//
// Containers by their cgroups: the runtimes put their container's id into the path.
#pragma once

#include <string>
#include <string_view>

namespace tiercel::state {

// The id of the container whose process has these cgroups ("subsystem=path", each NUL-terminated):
// the first 12 characters for Docker, containerd, CRI-O and Podman ids, the machine's name for
// systemd-nspawn. Empty: none that is recognised.
std::string_view container_id(std::string_view cgroups);

// The pod's uid, where Kubernetes is the one who made the cgroup: with '-' between its parts.
std::string pod_uid(std::string_view cgroups);

} // namespace tiercel::state
