// SPDX-License-Identifier: Apache-2.0
//
// Parses the answers of container runtimes, which the enricher passes on as bytes. They contain
// text of the people who built or started a container, so nothing is trusted: lengths are checked,
// and text that does not fit is cut.
#pragma once

#include <optional>
#include <string_view>

#include "analyzer/state/container_table.h"

namespace tiercel::enrich {

// The longest text kept, and how many labels and mounts are kept of a container.
constexpr std::size_t kMostText = 512, kMostEntries = 64;

// Reads the answer of Docker or Podman to `GET /containers/ID/json`, a whole HTTP response. Returns
// nothing if it is not such an answer, or if its status is not 200.
std::optional<state::Container> read_inspection(std::string_view response);

// Reads the answer of containerd or CRI-O to ContainerStatus: frames of HTTP/2, a part of them or
// all. These runtimes do not close the connection, so call it after each part.
struct CallState {
    bool over = false; // no further part will change the result
    std::optional<state::Container> container;
};
CallState read_call(std::string_view frames);
// The same for PodSandboxStatus. The container has what belongs to the pod, and the pod's name as
// its own.
CallState read_pod(std::string_view frames);

// Gives the container what the answer about its pod has.
void take_pod(state::Container pod, state::Container& container);

// Fills image, repository, tag and digest from "registry:5000/path/name:tag@digest".
void split_image(std::string_view name, state::Container& container);

// Fills the pod's name and namespace from the labels that Kubernetes gives each container.
void take_pod_labels(state::Container& container);

} // namespace tiercel::enrich
