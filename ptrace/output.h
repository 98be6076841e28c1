// SPDX-License-Identifier: Apache-2.0
//
// Output: where finished events go. One ring, its counters, and the pipe through which the reader
// is woken; all three are handed over (server.h), and the end of the pipe tells the reader that no
// more comes.
#pragma once

#include "ptrace/interpreter.h"
#include "ptrace/ring_writer.h"

struct tiercel_cpu_counters;

namespace tiercel::ptrace {

class Output : public event_sink {
  public:
    static os::Result<Output> create(std::size_t ring_bytes);

    // To hand over; they stay the output's.
    [[nodiscard]] const os::UniqueFd& ring() const { return ring_.fd(); }
    [[nodiscard]] const os::UniqueFd& counters() const { return counters_fd_; }
    [[nodiscard]] const os::UniqueFd& reader_pipe() const { return reader_; }

    // The reader has its own reading end by now: without ours, its going shows.
    void handed_over() { reader_.reset(); }
    // Readable (POLLERR) when the reader has gone.
    [[nodiscard]] const os::UniqueFd& pipe() const { return writer_; }
    // No more events: the reader takes what is there, and ends.
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
