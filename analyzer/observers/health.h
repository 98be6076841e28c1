// SPDX-License-Identifier: Apache-2.0
//
// Health: whether events still come although system calls happen. The kernel counts the processes
// that were ever made (/proc/stat, of the whole machine whatever the namespaces), and the probe
// captures every one: when the first goes on and the probe's count stands still, the probe has been
// taken away.
#pragma once

#include <cstdint>
#include <optional>

namespace tiercel::app {

class Health {
  public:
    struct Sample {
        std::uint64_t processes; // ever made on this machine
        std::uint64_t events;    // that the probe captured or dropped
    };
    // A process is counted some moments before its event is.
    static constexpr std::uint64_t kUnderWay = 16;

    // How many processes were made since the last event, when they are too many to be under way;
    // nothing: all is well as far as can be told.
    std::optional<std::uint64_t> check(Sample now) {
        if (!last_ || now.events != last_->events) {
            last_ = now;
            return std::nullopt;
        }
        const std::uint64_t unseen = now.processes - last_->processes;
        return unseen > kUnderWay ? std::optional(unseen) : std::nullopt;
    }

  private:
    std::optional<Sample> last_;
};

} // namespace tiercel::app
