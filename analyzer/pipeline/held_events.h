// SPDX-License-Identifier: Apache-2.0
//
// HeldEvents: copies of events that are taken from the rings now and processed later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "shared/event/view.h"

namespace tiercel::app {

class HeldEvents {
  public:
    // With this much held, events are better left in the rings.
    static constexpr std::size_t kEnoughBytes = 64 << 20;

    // Returns whether there is room for more.
    bool add(const event::EventView& event, std::uint16_t cpu) {
        const Head head{.cpu = cpu, .bytes = static_cast<std::uint32_t>(event.size())};
        const auto* from = reinterpret_cast<const std::byte*>(&head);
        bytes_.insert(bytes_.end(), from, from + sizeof head);
        bytes_.insert(bytes_.end(), event.bytes().begin(), event.bytes().end());
        return !is_full();
    }
    bool is_full() const { return bytes_.size() >= kEnoughBytes; }
    bool empty() const { return bytes_.empty(); }

    // Calls `take(event, cpu)` for each event in order, until it returns false, and forgets all.
    template <typename Take>
    void give(Take&& take) {
        std::vector<std::byte> bytes;
        bytes.swap(bytes_);
        walk(bytes, take);
    }
    // The same, but forgets none.
    template <typename Take>
    void show(Take&& take) const {
        walk(bytes_, take);
    }

  private:
    struct Head {
        std::uint16_t cpu;
        std::uint32_t bytes;
    };

    template <typename Take>
    static void walk(const std::vector<std::byte>& bytes, Take& take) {
        for (std::size_t at = 0; at < bytes.size();) {
            Head head{};
            std::memcpy(&head, bytes.data() + at, sizeof head);
            at += sizeof head;
            const auto view = event::EventView::parse({bytes.data() + at, head.bytes});
            at += head.bytes;
            if (view && !take(*view, head.cpu))
                return;
        }
    }

    std::vector<std::byte> bytes_;
};

} // namespace tiercel::app
