// SPDX-License-Identifier: Apache-2.0
//
// The answer to one gRPC call, in the frames of HTTP/2 (RFC 9113): the data of stream 1 is one
// message of protocol buffers behind a head of 5 bytes. Headers are not looked at: a call that
// failed has no message. The messages are those of k8s.io/cri-api, runtime/v1/api.proto. Their map
// `info` holds the runtime's own account as JSON: containerd and CRI-O name the sandbox and
// the privileges there.
#include <algorithm>
#include <cstdint>
#include <string>

#include "analyzer/enrich/answer.h"
#include "analyzer/enrich/json.h"
#include "analyzer/enrich/protobuf.h"

namespace tiercel::enrich {

using state::Container;

namespace {

enum Frame : std::uint8_t { data = 0, headers = 1, reset = 3, goaway = 7 };
enum Flag : std::uint8_t { end_stream = 1, padded = 8 };

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
    return static_cast<std::uint8_t>(bytes[index]);
}

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        value = value << 8 | byte_at(bytes, i);
    return value;
}

std::string text(std::string_view bytes) {
    return std::string(bytes.substr(0, kMostText));
}

// The text in field `number` of a message.
std::string text_in(std::string_view message, std::uint64_t number) {
    for (ProtobufReader reader(message); const auto field = reader.next();)
        if (field->number == number)
            return text(field->bytes);
    return {};
}

void take_label(std::string_view entry, Container::Labels& labels) {
    if (labels.size() < kMostEntries)
        labels.emplace_back(text_in(entry, 1), text_in(entry, 2));
}

Container::Mount mount_of(std::string_view message) {
    constexpr std::string_view kPropagation[] = {"private", "rslave", "rshared"};
    Container::Mount mount;
    mount.propagation = kPropagation[0];
    mount.writable = true;
    for (ProtobufReader reader(message); const auto field = reader.next();) {
        if (field->number == 1)
            mount.destination = text(field->bytes);
        else if (field->number == 2)
            mount.source = text(field->bytes);
        else if (field->number == 3)
            mount.writable = field->integer == 0;
        else if (field->number == 5 && field->integer < std::size(kPropagation))
            mount.propagation = kPropagation[field->integer];
    }
    return mount;
}

void take_image_id(std::string_view id, Container& container) {
    constexpr std::string_view kKind = "sha256:";
    if (id.starts_with(kKind))
        container.image_id = id.substr(kKind.size(), state::kShownIdLength);
}

// ContainerStatus.
Container status_of(std::string_view message) {
    Container container;
    std::string image, reference;
    for (ProtobufReader reader(message); const auto field = reader.next();) {
        switch (field->number) {
        case 1: container.id = text(field->bytes); break;
        case 2: container.name = text_in(field->bytes, 1); break; // metadata.name
        case 5: container.started_ns = field->integer; break;
        case 8: image = text_in(field->bytes, 1); break; // image.image
        case 9: reference = text(field->bytes); break;
        case 12: take_label(field->bytes, container.labels); break;
        case 17: take_image_id(field->bytes, container); break;
        case 14:
            if (container.mounts.size() < kMostEntries)
                container.mounts.push_back(mount_of(field->bytes));
            break;
        default: break;
        }
    }
    std::ranges::sort(container.labels);
    split_image(image, container);
    if (const std::size_t digest = reference.find("@sha256:"); digest != std::string::npos)
        container.digest = reference.substr(digest + 1);
    else if (container.image_id.empty())
        take_image_id(reference, container); // an image without a name is referred to by its id
    take_pod_labels(container);
    return container;
}

// PodSandboxStatus.
Container pod_of(std::string_view message) {
    Container pod;
    for (ProtobufReader reader(message); const auto field = reader.next();) {
        switch (field->number) {
        case 1: pod.id = text(field->bytes); break;
        case 2: // metadata: name, uid, namespace
            pod.pod_name = text_in(field->bytes, 1);
            pod.pod_namespace = text_in(field->bytes, 3);
            break;
        case 4: pod.started_ns = field->integer; break;
        case 5: pod.pod_ip = text_in(field->bytes, 1); break; // network.ip
        case 7: take_label(field->bytes, pod.pod_labels); break;
        default: break;
        }
    }
    pod.sandbox_id = pod.id;
    pod.name = pod.pod_name;
    std::ranges::sort(pod.pod_labels);
    return pod;
}

// NamespaceMode: POD 0, CONTAINER 1, NODE 2, TARGET 3. JSON leaves out what is 0.
bool is_node(const nlohmann::json& mode) {
    return mode == 2 || mode == "NODE";
}

// An entry of the map `info`.
void take_info(std::string_view entry, Container& container) {
    std::string_view key, value;
    for (ProtobufReader reader(entry); const auto field = reader.next();)
        (field->number == 1 ? key : value) = field->bytes;
    if (key != "info")
        return;
    const auto info = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (std::string id = text_of(at(info, "sandboxID")); !id.empty())
        container.sandbox_id = std::move(id);
    const auto& context = at(at(at(info, "config"), "linux"), "security_context");
    for (const auto* object : {&info, &context})
        if (const auto privileged = flag_of(at(*object, "privileged")))
            container.privileged = privileged;
    if (!context.is_object())
        return;
    if (!container.privileged)
        container.privileged = false;
    const auto& namespaces = at(context, "namespace_options");
    container.host_pid = is_node(at(namespaces, "pid"));
    container.host_network = is_node(at(namespaces, "network"));
    container.host_ipc = is_node(at(namespaces, "ipc"));
}

// Both responses: the status, and the map `info`.
template <Container (*read_status)(std::string_view)>
std::optional<Container> read_response(std::string_view response) {
    constexpr std::uint64_t kStatus = 1, kInfo = 2;
    std::optional<Container> container;
    for (ProtobufReader reader(response); const auto field = reader.next();) {
        if (field->number == kStatus)
            container = read_status(field->bytes);
        else if (field->number == kInfo && container)
            take_info(field->bytes, *container);
    }
    return container;
}

using ReadResponse = std::optional<Container> (*)(std::string_view response);

std::optional<Container> response_of(std::string_view message, ReadResponse read) {
    constexpr std::size_t kHead = 5; // compressed or not, and the length
    if (message.size() < kHead || message[0] != 0)
        return std::nullopt;
    const std::size_t length = big_endian(message.substr(1, 4));
    if (length > message.size() - kHead)
        return std::nullopt;
    return read(message.substr(kHead, length));
}

std::string_view without_padding(std::string_view load, std::uint8_t flags) {
    if ((flags & Flag::padded) == 0 || load.empty())
        return load;
    const std::size_t padding = byte_at(load, 0);
    load.remove_prefix(1);
    return load.substr(0, load.size() - std::min(padding, load.size()));
}

CallState read_frames(std::string_view frames, ReadResponse read) {
    constexpr std::size_t kHead = 9; // length, kind, flags, stream
    std::string message;
    while (frames.size() >= kHead) {
        const std::size_t length = big_endian(frames.substr(0, 3));
        if (length > frames.size() - kHead)
            return {};
        const std::uint8_t kind = byte_at(frames, 3), flags = byte_at(frames, 4);
        const std::uint32_t stream = big_endian(frames.substr(5, 4));
        const std::string_view load = frames.substr(kHead, length);
        frames.remove_prefix(kHead + length);
        if (kind == Frame::goaway || (stream == 1 && kind == Frame::reset))
            return {.over = true, .container = {}};
        if (stream != 1 || (kind != Frame::data && kind != Frame::headers))
            continue;
        if (kind == Frame::data)
            message += without_padding(load, flags);
        auto container = response_of(message, read);
        if (container || (flags & Flag::end_stream) != 0)
            return {.over = true, .container = std::move(container)};
    }
    return {};
}

} // namespace

CallState read_call(std::string_view frames) {
    return read_frames(frames, read_response<status_of>);
}

CallState read_pod(std::string_view frames) {
    return read_frames(frames, read_response<pod_of>);
}

void take_pod(Container pod, Container& container) {
    container.pod_name = std::move(pod.pod_name);
    container.pod_namespace = std::move(pod.pod_namespace);
    container.ip = container.pod_ip = std::move(pod.pod_ip);
    container.pod_labels = std::move(pod.pod_labels);
}

} // namespace tiercel::enrich
