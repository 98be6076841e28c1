// SPDX-License-Identifier: Apache-2.0
//
// IteratorReader reads a BPF iterator to its end. The stream is a sequence of events in the scap
// layout without trailers; the header's tid is tgid << 32 | tid. A read may end in the middle of an
// event, because it ends where the kernel's buffer ends.
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
        std::uint64_t skipped = 0;        // well-framed events of an unknown code
        std::uint64_t unframed_bytes = 0; // the rest of the stream after an impossible length
    };

    // Calls `take` for every event of `fd` and blocks until the end of the stream. An event is
    // valid during the call. The caller keeps ownership of `fd`. Fails with read(2)'s error.
    // Retries after EINTR and EAGAIN; the kernel returns EAGAIN after about a million objects
    // (kernel/bpf/bpf_iter.c).
    // Calls `between` when the events of a read(2), a few hundred, have been given.
    os::Result<Count> read_all(const os::UniqueFd& fd,
                               const std::function<void(const event::EventView&)>& take,
                               const std::function<void()>& between = {});

  private:
    // Gives the whole events at the start of the buffer to `take`. Returns false at an impossible
    // length.
    bool split(Count& count, const std::function<void(const event::EventView&)>& take);

    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0, end_ = 0; // the used part of buffer_
};

} // namespace tiercel::ring
