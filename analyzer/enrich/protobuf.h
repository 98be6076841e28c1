// SPDX-License-Identifier: Apache-2.0
//
// ProtobufReader: the fields of one message of protocol buffers, in the order in which they come;
// the caller knows what they mean. Ends at the first bytes that are not a field.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiercel::enrich {

struct ProtobufField {
    std::uint64_t number = 0;
    std::uint64_t integer = 0; // of a number
    std::string_view bytes;    // of a text, or of a message within
};

class ProtobufReader {
  public:
    explicit ProtobufReader(std::string_view message) : rest_(message) {}

    std::optional<ProtobufField> next() {
        const auto key = varint();
        if (!key)
            return std::nullopt;
        ProtobufField field{.number = *key >> 3, .integer = 0, .bytes = {}};
        switch (*key & 7) { // the wire type
        case 0: {
            const auto value = varint();
            field.integer = value.value_or(0);
            return value ? std::optional(field) : std::nullopt;
        }
        case 1: return take(8, field);
        case 2: {
            const auto length = varint();
            return length ? take(*length, field) : std::nullopt;
        }
        case 5: return take(4, field);
        default: return std::nullopt;
        }
    }

  private:
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<std::uint8_t>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if ((byte & 0x80U) == 0)
                return value;
        }
        return std::nullopt;
    }
    std::optional<ProtobufField> take(std::uint64_t length, ProtobufField field) {
        if (length > rest_.size())
            return std::nullopt;
        field.bytes = rest_.substr(0, static_cast<std::size_t>(length));
        rest_.remove_prefix(field.bytes.size());
        return field;
    }
    std::string_view rest_;
};

} // namespace tiercel::enrich
