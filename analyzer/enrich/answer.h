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

// Of each label, mount and name; the rest is left out.
constexpr std::size_t kMostText = 512, kMostEntries = 64;

// Docker's and Podman's answer to `GET /containers/ID/json`: the whole HTTP response. Nothing: it
// is no such answer, or not status 200.
std::optional<state::Container> read_inspection(std::string_view response);

// containerd's and CRI-O's to ContainerStatus: frames of HTTP/2, a part of them or all. They do not
// close the connection, so whether there is more to come is asked after each part.
struct CallState {
    bool over = false; // nothing more is worth waiting for
    std::optional<state::Container> container;
};
CallState read_call(std::string_view frames);

// Fills image, repository, tag and digest from "registry:5000/path/name:tag@digest".
void split_image(std::string_view name, state::Container& container);

// By the labels that Kubernetes gives each container.
void take_pod_labels(state::Container& container);

} // namespace tiercel::enrich
