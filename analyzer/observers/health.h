// SPDX-License-Identifier: Apache-2.0
//
// Health: whether the sensor sees what happens. Two signs say that it does not:
//
//   - Processes are made, but no event comes. The kernel counts the processes that were ever made
//     (/proc/stat, for the whole machine), and the probe captures each of them. If the first count
//     goes on and the probe's count stands still, the probe was taken away.
//   - A large share of the events is dropped.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace tiercel::app {

class Health {
  public:
    // A process is counted some moments before its event is.
    static constexpr std::uint64_t kUnderWay = 16;
    // The share of drops is that of the last seconds.
    static constexpr std::size_t kSeconds = 10;

    struct Counts {
        std::uint64_t events = 0; // captured since the session began
        std::uint64_t drops = 0;  // discarded since the session began
    };

    // Call once a second.
    void second(Counts now) {
        seconds_[next_++ % kSeconds] = last_;
        last_ = now;
    }

    // Returns the share of events that were dropped in the last seconds, from 0 to 1.
    double drop_share() const {
        const Counts& before = seconds_[next_ % kSeconds];
        const auto events = static_cast<double>(last_.events - before.events);
        const auto drops = static_cast<double>(last_.drops - before.drops);
        return drops > 0 ? drops / (events + drops) : 0;
    }

    // Returns the events and the drops a second, in the last seconds. The counts of the first call
    // are no rate, because a probe that outlives its reader goes on counting.
    struct Rates {
        double events = 0, drops = 0;
    };
    Rates rates() const {
        if (next_ < 2)
            return {};
        const Counts& before = seconds_[next_ <= kSeconds ? 1 : next_ % kSeconds];
        const auto seconds = static_cast<double>(std::min(next_ - 1, kSeconds));
        return {.events = static_cast<double>(last_.events - before.events) / seconds,
                .drops = static_cast<double>(last_.drops - before.drops) / seconds};
    }

    // Returns how many processes were made since the last event, if they are too many to be under
    // way. `processes`: made on this machine since its boot. Drops count here, because a probe that
    // drops events is attached; drop_share() judges them.
    std::optional<std::uint64_t> unseen(std::uint64_t processes, Counts now) {
        if (!seen_ || now.events + now.drops != seen_->events) {
            seen_ = Seen{processes, now.events + now.drops};
            return std::nullopt;
        }
        const std::uint64_t made = processes - seen_->processes;
        return made > kUnderWay ? std::optional(made) : std::nullopt;
    }

  private:
    struct Seen {
        std::uint64_t processes, events;
    };
    std::optional<Seen> seen_;
    Counts last_;
    std::array<Counts, kSeconds> seconds_{};
    std::size_t next_ = 0;
};

} // namespace tiercel::app
