// SPDX-License-Identifier: Apache-2.0
//
// Source: one running driver, as the tests see it. It starts privd, receives the descriptors like
// an analyzer would, and reads the rings with readers of its own, so that a mistake in the
// analyzer's does not hide one in the probe. It uses a single ring, whose events come in the order
// in which they were submitted; a driver that has one for each CPU gives them by their times.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "shared/event/view.h"
#include "shared/os/mapping.h"
#include "shared/wire/client.h"

namespace tiercel::live {

using EventBytes =
    std::vector<std::byte>; // one event in the scap layout, without the ring's trailer

struct SourceOptions {
    std::string privd; // path of the binary
    wire::Driver driver = wire::Driver::automatic;
    wire::Attach attach = wire::Attach::automatic;
    std::uint32_t tracepoints = 0; // enum tiercel_tracepoint
    bool syscalls = true;          // all of them, or none
    std::uint32_t snaplen = 80;
    pid_t target = 0; // of the tracer alone: whom it traces; 0: this process and what it starts
};

// Events cannot be had on this machine, through no fault of the driver.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Source {
  public:
    // Throws Unavailable with privd's reason when this machine does not permit or have what the
    // driver needs, and std::runtime_error for anything else: a probe that the verifier refuses is
    // a failure.
    explicit Source(const SourceOptions& options);

    // Calls take(event, cpu) for each event that is in the ring now.
    void drain(const std::function<void(EventBytes, unsigned)>& take);

    // Events that the driver says it lost since the start.
    [[nodiscard]] std::uint64_t drops() const;
    [[nodiscard]] std::uint64_t submitted() const; // events that it says it put into the ring

    // Everything that the iterators say now, each run afresh; empty when the driver has none.
    std::vector<EventBytes> iterate(wire::Kind kind) const;

    [[nodiscard]] const wire::Reply& reply() const { return session_.reply; }

  private:
    using Take = std::function<void(EventBytes, unsigned)>;
    void drain_bpf_ring(const Take& take);
    void drain_perf_buffer(const os::Mapping& buffer, const Take& take) const;
    [[nodiscard]] std::uint64_t sum_counters(std::size_t first, std::size_t count) const;

    wire::client::Session session_;
    os::Mapping consumer_, producer_, counters_;
    std::vector<os::Mapping> buffers_; // perf buffers, where the driver has those
};

} // namespace tiercel::live
