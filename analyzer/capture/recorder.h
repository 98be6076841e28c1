// SPDX-License-Identifier: Apache-2.0
//
// Recorder writes all events to one capture or to several in turn. Each can be read alone, because
// it begins with the state at that time.
#pragma once

#include <cstdint>
#include <optional>

#include "analyzer/capture/file_ring.h"
#include "analyzer/capture/writer.h"

namespace tiercel::capture {

class Recorder {
  public:
    // When the next file begins; 0 means no limit. A file ends after the event that passes the
    // limit, and bytes that are not packed yet do not count.
    struct Limits {
        std::uint64_t bytes = 0;
        std::uint64_t ns = 0; // between events' times
    };
    // `machine` must outlive this object; it is read when a file begins.
    Recorder(FileRing files, Limits limits, const MachineInfo& machine)
        : files_(std::move(files)), limits_(limits), machine_(machine) {}

    // Call it for each event before the tracker applies it. After a failure nothing more is
    // written.
    os::Result<void> take(const event::EventView& event, std::uint16_t cpu,
                          state::StateTracker& state);
    // Makes the events so far readable from the file.
    os::Result<void> flush();
    // Ends the recording. A recording without events is a valid capture.
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
