// SPDX-License-Identifier: Apache-2.0
//
// The answer to one gRPC call, in the frames of HTTP/2 (RFC 9113): the data of stream 1 is one
// message of protocol buffers behind a head of 5 bytes. Headers are not looked at: a call that
// failed has no message.
#include <algorithm>
#include <cstdint>
#include <string>

#include "analyzer/enrich/answer.h"
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

// ContainerStatus of k8s.io/cri-api, runtime/v1/api.proto.
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
        case 12:
            if (container.labels.size() < kMostEntries)
                container.labels.emplace_back(text_in(field->bytes, 1), text_in(field->bytes, 2));
            break;
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
    take_pod_labels(container);
    return container;
}

std::optional<Container> response_of(std::string_view message) {
    constexpr std::size_t kHead = 5; // compressed or not, and the length
    if (message.size() < kHead || message[0] != 0)
        return std::nullopt;
    const std::size_t length = big_endian(message.substr(1, 4));
    if (length > message.size() - kHead)
        return std::nullopt;
    for (ProtobufReader reader(message.substr(kHead, length)); const auto field = reader.next();)
        if (field->number == 1) // status
            return status_of(field->bytes);
    return std::nullopt;
}

std::string_view without_padding(std::string_view load, std::uint8_t flags) {
    if ((flags & Flag::padded) == 0 || load.empty())
        return load;
    const std::size_t padding = byte_at(load, 0);
    load.remove_prefix(1);
    return load.substr(0, load.size() - std::min(padding, load.size()));
}

} // namespace

CallState read_call(std::string_view frames) {
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
        auto container = response_of(message);
        if (container || (flags & Flag::end_stream) != 0)
            return {.over = true, .container = std::move(container)};
    }
    return {};
}

} // namespace tiercel::enrich
