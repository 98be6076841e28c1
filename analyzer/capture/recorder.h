// SPDX-License-Identifier: Apache-2.0
//
// Recorder: all events to a capture, or to several in turn, each of which can be read by itself: it
// begins with the state at its beginning.
#pragma once

#include <cstdint>
#include <optional>

#include "analyzer/capture/file_ring.h"
#include "analyzer/capture/writer.h"

namespace tiercel::capture {

class Recorder {
  public:
    // When the next file is begun; 0: never for that reason. Neither is exact: a file ends after
    // the event that passes the size, and what is still being packed is not counted.
    struct Limits {
        std::uint64_t bytes = 0;
        std::uint64_t ns = 0; // between events' times
    };
    // `machine` is lent, and looked at when a file begins.
    Recorder(FileRing files, Limits limits, const MachineInfo& machine)
        : files_(std::move(files)), limits_(limits), machine_(machine) {}

    // Each event, before the state takes it. After a failure nothing more is written.
    os::Result<void> take(const event::EventView& event, std::uint16_t cpu,
                          state::StateTracker& state);
    // What was taken so far can be read afterwards.
    os::Result<void> flush();
    // The end. A recording without an event is a good one without events.
    os::Result<void> finish(state::StateTracker& state);

  private:
    bool is_full(std::uint64_t ts) const;
    os::Result<void> begin_file(std::uint64_t ts, state::StateTracker& state);

    FileRing files_;
    Limits limits_;
    const MachineInfo& machine_;
    std::optional<Writer> writer_; // of the file being written
    std::uint64_t begun_ns_ = 0;   // time of its first event
};

} // namespace tiercel::capture
