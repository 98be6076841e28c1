// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// EventView: one event in place. The scap layout is the same in capture files and in rings: a
// packed header, one length for each parameter, then the parameters' bytes. parse() checks the
// layout once and copies no bytes; they must outlive the view.
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

// Drivers set this bit of the number of an event's CPU if the call was made through io_uring
// (kernel/common/abi.h, TIERCEL_CPU_URING).
inline constexpr std::uint16_t kCpuUring = 0x8000;

class EventView {
  public:
    // No event of the table has more parameters: an event with more is damaged.
    static constexpr std::uint32_t kMaxParams = 64;

    // Makes an empty object for parse(). It clears nothing, because this runs for every event and
    // parse() sets all members that are read; `= default` would clear them.
    EventView() {} // NOLINT(modernize-use-equals-default,cppcoreguidelines-pro-type-member-init)

    // Parses the event at the start of `bytes`, which may be longer than the event. Returns nullopt
    // if the event is cut short, its code is unknown, or its lengths do not add up to the header's
    // length.
    static std::optional<EventView> parse(Bytes bytes);

    std::uint64_t ts() const { return header_.ts; }
    // Iterator events have tgid << 32 | tid here; other events the thread id.
    std::uint64_t raw_tid() const { return header_.tid; }
    std::int64_t tid() const { return static_cast<std::int64_t>(header_.tid); }
    std::uint16_t code() const { return header_.type; }
    std::uint32_t size() const { return header_.len; }
    const EventInfo& info() const { return *info_; }
    Bytes bytes() const { return {data_, header_.len}; }

    // How many parameters the event has; events of older captures have fewer than the table.
    std::uint32_t nparams() const { return header_.nparams; }
    // The bytes of parameter `index`; empty if it has no value or does not exist.
    Bytes param(std::uint32_t index) const {
        if (index >= header_.nparams)
            return {};
        return {data_ + offsets_[index], offsets_[index + 1] - offsets_[index]};
    }

    // A number of a fixed-width type; a signed T extends the sign. Returns nullopt if the parameter
    // is absent or has another width.
    template <typename T>
    std::optional<T> number(std::uint32_t index) const {
        const Bytes bytes = param(index);
        if (bytes.size() != sizeof(T))
            return std::nullopt;
        T value;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

    // The text up to the first NUL or the parameter's end; empty if there is no value.
    std::string_view text(std::uint32_t index) const {
        const Bytes bytes = param(index);
        if (bytes.empty())
            return {}; // data() may be null, which strnlen() does not accept
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
