// SPDX-License-Identifier: Apache-2.0
//
// AlertCapture writes captures of the events around an alert. It keeps the last seconds in memory
// as blocks of a capture, in two segments that each begin with the state. When the younger segment
// spans `before_ns`, it becomes the older one, and the older one is dropped. So a capture reaches
// back between one and three times `before_ns`, or less if a segment reaches kSegmentBytes earlier.
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
    // A capture that has become this large ends.
    static constexpr std::uint64_t kMostBytes = 128u << 20;

    // `before_ns`: how far captures reach back from the alert. `machine` must outlive this object;
    // it is read when a segment begins.
    AlertCapture(FileRing files, std::uint64_t before_ns, const MachineInfo& machine)
        : files_(std::move(files)), before_ns_(before_ns), machine_(machine) {}

    // Call it for each event before the tracker applies the event.
    os::Result<void> take(const event::EventView& event, std::uint16_t cpu,
                          state::StateTracker& state);
    // Writes the kept events to the next file, and then the events of the next `after_ns`. Call it
    // after the event that raised an alert. If a capture is being written, extends it by `after_ns`
    // instead. A file in a directory gets the name `name`. Returns the name of the file that it has
    // begun, or an empty text.
    os::Result<std::string_view> trigger(std::uint64_t after_ns, std::string_view name);
    // The path of the capture that is being written; empty: none is.
    std::string_view file() const { return writer_ ? file_ : std::string_view(); }
    // The directory whose files get names; -1: none.
    int directory() const { return files_.directory(); }
    // Ends the capture that is being written, if any.
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
    std::optional<Writer> writer_; // set while a capture is being written
    std::string_view file_;        // its path
    std::uint64_t until_ns_ = 0;   // its end
    std::uint64_t now_ns_ = 0;
};

} // namespace tiercel::capture
