// SPDX-License-Identifier: Apache-2.0
//
// Reader reads a capture one event at a time, in the current schema. The lists before the events
// fill the state. Memory is bounded for every content of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/capture/converter.h"
#include "analyzer/capture/lists.h"
#include "analyzer/capture/stream.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::capture {

struct CapturedEvent {
    event::EventView view; // valid until the next call
    std::uint64_t num = 0; // from 1, as Falco counts
    std::uint16_t cpu = 0;
};

class Reader {
  public:
    // `fd` may be a pipe. `state` must outlive this object. Construct it before entering the
    // sandbox.
    Reader(os::UniqueFd fd, state::StateTracker& state) : stream_(std::move(fd)), state_(state) {}

    // Returns nothing at the end of the capture, at damage (see error()), and while a pipe has no
    // more data (see waiting()).
    std::optional<CapturedEvent> next();
    bool waiting() const { return !ended_ && stream_.waiting(); }
    // Becomes readable when a pipe has more data; invalid for files. The reader keeps ownership.
    const os::UniqueFd& ready() const { return stream_.ready(); }
    // Empty after a good end; otherwise one line with the offset of the damage in the unpacked
    // capture.
    const std::string& error() const { return error_; }
    const MachineInfo& machine() const { return machine_; }
    // Events of kinds that this schema does not know.
    std::uint64_t skipped() const { return skipped_; }

  private:
    bool read_block();
    bool read_header();
    bool read_body(std::uint32_t size);
    bool accept_header();
    bool take_section();
    bool take_list();
    std::optional<event::EventView> parse_event();
    bool count_params(std::size_t at);
    void fail(const std::string& what);

    Stream stream_;
    state::StateTracker& state_;
    Converter converter_;
    MachineInfo machine_;
    // The block being read, which may be incomplete while a pipe has no more data.
    std::uint32_t header_[2] = {}; // type and length
    std::size_t header_read_ = 0;  // bytes of it
    std::vector<std::byte> body_;  // without header and, at the end, trailer
    std::uint32_t type_ = 0;
    std::uint64_t block_offset_ = 0;
    std::uint16_t cpu_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t skipped_ = 0;
    bool section_seen_ = false;
    bool linked_ = false;
    bool ended_ = false;
    std::string error_;
};

} // namespace tiercel::capture
