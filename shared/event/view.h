// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// EventView: one event, where it lies. The event keeps the scap layout (capture files and rings
// alike): a packed header, then one length for each parameter, then the parameters' bytes. A view
// checks the layout once, when it is made, and copies nothing; it is valid as long as the bytes
// are.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "shared/event/table.h"

namespace tiercel::event {

struct [[gnu::packed]] Header {
    std::uint64_t ts;      // ns since the epoch
    std::uint64_t tid;     // thread that caused the event, as the initial pid namespace numbers it
    std::uint32_t len;     // of the whole event: header, lengths and parameters
    std::uint16_t type;    // event code
    std::uint32_t nparams; // how many lengths follow
};
static_assert(sizeof(Header) == 26);

using Bytes = std::span<const std::byte>;

class EventView {
  public:
    // Upper bound of `nparams` in any schema that exists: more is a damaged event.
    static constexpr std::uint32_t kMaxParams = 32;

    // Not a view yet: parse() makes those. Nothing is cleared, for parse() fills in all that is
    // ever read, and this runs for every event; `= default` would clear the members.
    EventView() {} // NOLINT(modernize-use-equals-default,cppcoreguidelines-pro-type-member-init)

    // The event at the start of `bytes`, which may be longer than the event. Nothing when the event
    // is cut short, its code is unknown, or its lengths do not add up to what the header says.
    static std::optional<EventView> parse(Bytes bytes);

    std::uint64_t ts() const { return header_.ts; }
    // Iterator events carry tgid << 32 | tid here; others the thread id alone.
    std::uint64_t raw_tid() const { return header_.tid; }
    std::int64_t tid() const { return static_cast<std::int64_t>(header_.tid); }
    std::uint16_t code() const { return header_.type; }
    std::uint32_t size() const { return header_.len; }
    const EventInfo& info() const { return *info_; }
    Bytes bytes() const { return {data_, header_.len}; }

    // How many parameters the event carries: older captures have fewer than the table lists.
    std::uint32_t nparams() const { return header_.nparams; }
    // Bytes of parameter `index`; empty when there is no value or no such parameter.
    Bytes param(std::uint32_t index) const {
        if (index >= header_.nparams)
            return {};
        return {data_ + offsets_[index], offsets_[index + 1] - offsets_[index]};
    }

    // A number of any fixed-width type, sign-extended for the signed ones by the caller's T.
    // Nothing when the parameter is absent or of another width.
    template <typename T>
    std::optional<T> number(std::uint32_t index) const {
        const Bytes bytes = param(index);
        if (bytes.size() != sizeof(T))
            return std::nullopt;
        T value;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

    // Text up to the first NUL or the parameter's end. Empty when there is no value.
    std::string_view text(std::uint32_t index) const {
        const Bytes bytes = param(index);
        if (bytes.empty())
            return {}; // data() may be null, which strnlen() must not be given
        const auto* chars = reinterpret_cast<const char*>(bytes.data());
        return {chars, strnlen(chars, bytes.size())};
    }

  private:
    bool fill(Bytes bytes);
    template <typename Length>
    bool fill_offsets();

    Header header_;
    const EventInfo* info_;
    const std::byte* data_;
    std::uint32_t offsets_[kMaxParams + 1]; // of each parameter from data_; the last: the end
};

} // namespace tiercel::event
