// SPDX-License-Identifier: Apache-2.0
#include "analyzer/prefilter/synthetic.h"

#include <cstring>

namespace tiercel::prefilter {

namespace {

constexpr std::int64_t kTid = 1;

// Returns the event's bytes. Parameters other than the result and the open flags have no value.
std::vector<std::byte> encode(const Call& call, std::int64_t result, std::uint32_t open_flags) {
    const event::EventInfo& info = *event::find(call.code);
    std::vector<std::uint16_t> lengths(info.params.size());
    std::vector<std::byte> values;
    const auto put = [&](std::size_t index, const auto& value) {
        lengths[index] = sizeof value;
        values.resize(values.size() + sizeof value);
        std::memcpy(values.data() + values.size() - sizeof value, &value, sizeof value);
    };
    if (call.result_is_first)
        put(0, result);
    if (call.flags != Call::kNoParameter)
        put(call.flags, open_flags);
    return assemble(call.code, kTid, lengths, values);
}

} // namespace

std::vector<std::byte> assemble(std::uint16_t code, std::int64_t tid,
                                std::span<const std::uint16_t> lengths,
                                std::span<const std::byte> values) {
    const std::size_t head = sizeof(event::Header) + lengths.size_bytes();
    std::vector<std::byte> bytes(head);
    const event::Header header{.ts = 1,
                               .tid = static_cast<std::uint64_t>(tid),
                               .len = static_cast<std::uint32_t>(head + values.size()),
                               .type = code,
                               .nparams = static_cast<std::uint32_t>(lengths.size())};
    std::memcpy(bytes.data(), &header, sizeof header);
    if (!lengths.empty())
        std::memcpy(bytes.data() + sizeof header, lengths.data(), lengths.size_bytes());
    bytes.insert(bytes.end(), values.begin(), values.end());
    return bytes;
}

bool Synthetic::holds(const filter::Comparison& comparison, std::uint32_t field, const Call& call,
                      std::int64_t result, std::uint32_t open_flags) {
    const auto bytes = encode(call, result, open_flags);
    const auto view = event::EventView::parse(bytes);
    if (!view)
        return true;
    values_.set(*view, 1, 0, state_.apply(*view, 0));
    filter::Value single;
    return comparison.holds(values_.fetch(field, single));
}

} // namespace tiercel::prefilter
