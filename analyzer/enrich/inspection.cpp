// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "analyzer/enrich/answer.h"
#include "analyzer/enrich/json.h"

namespace tiercel::enrich {

using nlohmann::json;
using state::Container;

namespace {

// "host", "container:ID", "private", …
std::optional<bool> is_host(const json& mode) {
    return mode.is_string() ? std::optional(mode.get_ref<const std::string&>() == "host")
                            : std::nullopt;
}

void take_labels(const json& labels, Container& container) {
    for (const auto& [name, value] : labels.items())
        if (container.labels.size() < kMostEntries && value.is_string())
            container.labels.emplace_back(name.substr(0, kMostText), text_of(value));
    std::ranges::sort(container.labels);
}

void take_mounts(const json& mounts, Container& container) {
    for (const json& mount : mounts)
        if (container.mounts.size() < kMostEntries && mount.is_object())
            container.mounts.push_back({.source = text_of(at(mount, "Source")),
                                        .destination = text_of(at(mount, "Destination")),
                                        .mode = text_of(at(mount, "Mode")),
                                        .propagation = text_of(at(mount, "Propagation")),
                                        .writable = flag_of(at(mount, "RW")).value_or(false)});
}

// The body of a response with status 200.
std::optional<std::string_view> body_of(std::string_view response) {
    const std::size_t end = response.find("\r\n\r\n");
    if (end == std::string_view::npos || !response.starts_with("HTTP/1.") ||
        response.substr(8, 5) != " 200 ")
        return std::nullopt;
    return response.substr(end + 4);
}

void take_host_config(const json& host, Container& container) {
    container.privileged = flag_of(at(host, "Privileged"));
    container.host_pid = is_host(at(host, "PidMode"));
    container.host_network = is_host(at(host, "NetworkMode"));
    container.host_ipc = is_host(at(host, "IpcMode"));
}

} // namespace

std::optional<Container> read_inspection(std::string_view response) {
    const auto body = body_of(response);
    if (!body)
        return std::nullopt;
    const json answer = json::parse(*body, nullptr, /*allow_exceptions=*/false);
    if (!at(answer, "Id").is_string())
        return std::nullopt;
    Container container;
    container.id = text_of(at(answer, "Id"));
    container.name = text_of(at(answer, "Name"));
    if (container.name.starts_with('/'))
        container.name.erase(0, 1);
    const json& config = at(answer, "Config");
    split_image(text_of(at(config, "Image")), container);
    container.image_id = text_of(at(answer, "Image"));
    if (container.image_id.starts_with("sha256:"))
        container.image_id.erase(0, 7);
    container.image_id.resize(std::min(container.image_id.size(), state::kShownIdLength));
    container.ip = text_of(at(at(answer, "NetworkSettings"), "IPAddress"));
    take_host_config(at(answer, "HostConfig"), container);
    if (const json& labels = at(config, "Labels"); labels.is_object())
        take_labels(labels, container);
    if (const json& mounts = at(answer, "Mounts"); mounts.is_array())
        take_mounts(mounts, container);
    take_pod_labels(container);
    return container;
}

void split_image(std::string_view name, Container& container) {
    container.image = name.substr(0, kMostText);
    std::string_view rest = container.image;
    if (const std::size_t digest = rest.find('@'); digest != std::string_view::npos) {
        container.digest = rest.substr(digest + 1);
        rest = rest.substr(0, digest);
    }
    const std::size_t slash = rest.rfind('/'), colon = rest.rfind(':');
    if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
        container.tag = rest.substr(colon + 1);
        rest = rest.substr(0, colon);
    }
    container.repository = rest;
}

void take_pod_labels(Container& container) {
    for (const auto& [name, value] : container.labels) {
        if (name == "io.kubernetes.pod.name")
            container.pod_name = value;
        else if (name == "io.kubernetes.pod.namespace")
            container.pod_namespace = value;
    }
}

} // namespace tiercel::enrich
