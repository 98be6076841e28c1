// SPDX-License-Identifier: Apache-2.0
//
// Output: the ring that finished events go to, its counters, and the pipe that wakes the reader.
// All three are passed to the analyzer (server.h). The end of the pipe tells the reader that no
// event follows.
#pragma once

#include "ptrace/interpreter.h"
#include "ptrace/ring_writer.h"

struct tiercel_cpu_counters;

namespace tiercel::ptrace {

class Output : public event_sink {
  public:
    static os::Result<Output> create(std::size_t ring_bytes);

    // The descriptors to pass on. The output keeps ownership.
    [[nodiscard]] const os::UniqueFd& ring() const { return ring_.fd(); }
    [[nodiscard]] const os::UniqueFd& counters() const { return counters_fd_; }
    [[nodiscard]] const os::UniqueFd& reader_pipe() const { return reader_; }

    // Closes our copy of the reading end, so that the pipe shows when the reader ends. Call after
    // the hand-over.
    void handed_over() { reader_.reset(); }
    // Polls as POLLERR once the reader has ended.
    [[nodiscard]] const os::UniqueFd& pipe() const { return writer_; }
    // Ends the output: the reader takes the remaining events, and ends.
    void close() { writer_.reset(); }
    [[nodiscard]] bool closed() const { return !writer_.valid(); }

  private:
    Output(RingWriter ring, os::UniqueFd counters_fd, os::Mapping counters, os::UniqueFd reader,
           os::UniqueFd writer);
    void put(std::span<const std::byte> event);
    [[nodiscard]] tiercel_cpu_counters& counts();

    RingWriter ring_;
    os::UniqueFd counters_fd_;
    os::Mapping counters_;
    os::UniqueFd reader_, writer_;
};

} // namespace tiercel::ptrace
