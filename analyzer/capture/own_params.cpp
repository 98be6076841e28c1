// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/own_params.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tiercel::capture {
namespace {

// Behind the event: this head, a 16-bit length for each parameter, their bytes.
struct [[gnu::packed]] Head {
    std::uint32_t magic;
    std::uint16_t count;
};
static_assert(sizeof(Head) == kSplitHead);
constexpr std::uint32_t kMagic = 0x504f4354; // "TCOP"

// How many parameters all readers know. Of socket and fcntl the last one is of schema 4.4, and
// libscap 0.23 has schema 4.1; later readers take it as 0.
std::uint32_t known_params(const event::EventInfo& info) {
    const auto schema = static_cast<std::uint32_t>(info.schema_params());
    const bool has_later =
        info.code == event::SOCKET_SOCKET_X || info.code == event::SYSCALL_FCNTL_X;
    return has_later ? schema - 1 : schema;
}

template <typename T>
void append(std::vector<std::byte>& out, const T& value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof value);
}
void append(std::vector<std::byte>& out, event::Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint16_t length_of(const event::EventView& event, std::uint32_t index) {
    return static_cast<std::uint16_t>(event.param(index).size());
}

// Appends the event with its first `count` parameters.
void append_cut(std::vector<std::byte>& out, const event::EventView& event, std::uint32_t count) {
    event::Header header{};
    std::memcpy(&header, event.bytes().data(), sizeof header);
    const std::size_t at = out.size();
    append(out, header);
    for (std::uint32_t i = 0; i < count; ++i)
        append(out, length_of(event, i));
    for (std::uint32_t i = 0; i < count; ++i)
        append(out, event.param(i));
    header.nparams = count;
    header.len = static_cast<std::uint32_t>(out.size() - at);
    std::memcpy(out.data() + at, &header, sizeof header);
}

// The parameters behind an event; `count` is 0 if there are none.
struct Behind {
    std::uint32_t count = 0;
    event::Bytes lengths, bytes;
};

Behind find_behind(event::Bytes rest) {
    Head head{};
    if (rest.size() < sizeof head)
        return {};
    std::memcpy(&head, rest.data(), sizeof head);
    const std::size_t lengths = head.count * sizeof(std::uint16_t);
    rest = rest.subspan(sizeof head);
    if (head.magic != kMagic || rest.size() < lengths)
        return {};
    Behind found{head.count, rest.first(lengths), {}};
    std::size_t size = 0;
    for (std::size_t at = 0; at < lengths; at += sizeof(std::uint16_t)) {
        std::uint16_t length = 0;
        std::memcpy(&length, rest.data() + at, sizeof length);
        size += length;
    }
    rest = rest.subspan(lengths);
    if (rest.size() < size)
        return {};
    found.bytes = rest.first(size);
    return found;
}

} // namespace

void append_split(std::vector<std::byte>& out, const event::EventView& event) {
    const std::uint32_t known = known_params(event.info());
    if (event.nparams() <= known || (event.info().flags & event::LARGE_PAYLOAD) != 0)
        return append(out, event.bytes());
    append_cut(out, event, known);
    append(out, Head{kMagic, static_cast<std::uint16_t>(event.nparams() - known)});
    for (std::uint32_t i = known; i < event.nparams(); ++i)
        append(out, length_of(event, i));
    for (std::uint32_t i = known; i < event.nparams(); ++i)
        append(out, event.param(i));
}

void join_split(std::vector<std::byte>& block, std::size_t at) {
    const auto event = event::EventView::parse(event::Bytes(block).subspan(at));
    if (!event || event->nparams() != known_params(event->info()) ||
        (event->info().flags & event::LARGE_PAYLOAD) != 0)
        return;
    const Behind behind = find_behind(event::Bytes(block).subspan(at + event->size()));
    if (behind.count == 0 || event->nparams() + behind.count > event::EventView::kMaxParams)
        return;
    const std::size_t lengths = event->nparams() * sizeof(std::uint16_t);
    const event::Bytes whole = event->bytes();
    event::Header header{};
    std::memcpy(&header, whole.data(), sizeof header);
    header.nparams += behind.count;
    header.len += static_cast<std::uint32_t>(behind.lengths.size() + behind.bytes.size());
    std::vector<std::byte> joined(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(at));
    append(joined, header);
    append(joined, whole.subspan(sizeof header, lengths));
    append(joined, behind.lengths);
    append(joined, whole.subspan(sizeof header + lengths));
    append(joined, behind.bytes);
    block = std::move(joined);
}

} // namespace tiercel::capture
