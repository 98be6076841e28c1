// SPDX-License-Identifier: Apache-2.0
//
// AlertCapture: captures of what happened around an alert. The events of the last seconds are kept
// in memory, as blocks of a capture, in two segments that each begin with the state: when the
// younger one spans the time that is to be kept, it becomes the older, and the older is forgotten.
// So a capture reaches back at least that time, at most three times as far; less, when events come
// so fast that a segment reaches kSegmentBytes before.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "analyzer/capture/file_ring.h"
#include "analyzer/capture/writer.h"

namespace tiercel::capture {

class AlertCapture {
  public:
    static constexpr std::size_t kSegmentBytes = 32u << 20;

    // `before_ns`: how far captures reach back from the alert. `machine` is lent, and looked at
    // when a segment begins.
    AlertCapture(FileRing files, std::uint64_t before_ns, const MachineInfo& machine)
        : files_(std::move(files)), before_ns_(before_ns), machine_(machine) {}

    // Each event, before the state takes it.
    os::Result<void> take(const event::EventView& event, std::uint16_t cpu,
                          state::StateTracker& state);
    // The event taken last raised an alert: what is in memory goes to the next file, and so do the
    // events of the next `after_ns`. A capture under way goes on until then instead. Gives the
    // file's name when one was begun, else an empty text.
    os::Result<std::string_view> trigger(std::uint64_t after_ns);
    // The end: closes a capture that is under way.
    os::Result<void> finish();

  private:
    struct Segment {
        std::vector<std::byte> head;
        std::vector<std::byte> events;
        std::uint64_t begun_ns = 0, ended_ns = 0; // times of its first and last event
    };
    void begin_segment(std::uint64_t ts, state::StateTracker& state);

    FileRing files_;
    std::uint64_t before_ns_;
    const MachineInfo& machine_;
    Segment older_, younger_;
    std::optional<Writer> writer_; // a capture is under way
    std::uint64_t until_ns_ = 0;   // its end
    std::uint64_t now_ns_ = 0;
};

} // namespace tiercel::capture
