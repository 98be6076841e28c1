// SPDX-License-Identifier: Apache-2.0
//
// IteratorReader: reads a BPF iterator to its end. The stream is events in the scap layout, one
// after the other, without a trailer; the header's tid is tgid << 32 | tid. Reads end where the
// kernel's buffer ends, and that is anywhere in an event.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shared/event/view.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ring {

class IteratorReader {
  public:
    struct Count {
        std::uint64_t events = 0;
        std::uint64_t skipped = 0;        // well-framed, but no event that is known
        std::uint64_t unframed_bytes = 0; // after a length that cannot be: the rest of the stream
    };

    // Gives every event of `fd`, which stays the caller's, to `take`. Blocks until the end of the
    // stream. An event is valid during the call. Errors are read(2)'s; EINTR and EAGAIN are
    // handled: for a BPF iterator EAGAIN asks to read again (kernel/bpf/bpf_iter.c, after about a
    // million objects).
    os::Result<Count> read_all(const os::UniqueFd& fd,
                               const std::function<void(const event::EventView&)>& take);

  private:
    // Hands out the whole events at the start of what is buffered; false when the framing is lost.
    bool split(Count& count, const std::function<void(const event::EventView&)>& take);

    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0, end_ = 0; // what is buffered
};

} // namespace tiercel::ring
