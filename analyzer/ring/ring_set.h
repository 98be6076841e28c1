// SPDX-License-Identifier: Apache-2.0
//
// RingSet: all rings of a session, read as one stream of events ordered by time.
//
// A batch takes every producer's position first and then merges what lies below it, so a ring that
// is empty, or that has a record still being written, holds up no other. Within a batch events come
// in the order of their times as far as each ring has them in order (CPUs that share a ring may
// swap neighbours). Across batches the order is by best effort: an event whose record was finished
// after the batch's snapshot comes in the next one, although an event of another ring that is later
// by some microseconds was given already. late() counts how often that showed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analyzer/ring/ring.h"
#include "shared/event/view.h"

namespace tiercel::ring {

// One event as it came from a ring. `view` is valid during the call it is given to.
struct RingEvent {
    const event::EventView& view;
    std::uint16_t cpu;
};

class RingSet {
  public:
    // Maps every ring; the fds stay the caller's. All are of one layout (BpfRing or PerfRing), and
    // have data areas of `data_bytes`.
    template <typename Layout>
    static os::Result<RingSet> map(std::span<const os::UniqueFd> fds, std::size_t data_bytes) {
        RingSet set;
        set.rings_.reserve(fds.size());
        for (const os::UniqueFd& fd : fds) {
            auto ring = Layout::map(fd, data_bytes);
            if (!ring)
                return ring.error();
            set.rings_.push_back(
                Source{.ring = std::make_unique<Layout>(*std::move(ring)), .record = {}});
        }
        return set;
    }

    // Takes a snapshot of all rings and calls `take(RingEvent)` for each event in it, until that
    // returns false (what is left comes with the next batch). Returns how many it gave.
    template <typename Take>
    std::size_t batch(Take&& take);

    // Bytes that the last batch found waiting in the ring that was fullest, of ring_bytes().
    std::size_t fullest() const { return fullest_; }
    std::size_t ring_bytes() const { return rings_.empty() ? 0 : rings_.front().ring->size(); }

    // Events given whose time was before that of an event given earlier.
    std::uint64_t late() const { return late_; }
    // Records that were no event: damaged, or of a code that is not in the table.
    std::uint64_t unparsed() const { return unparsed_; }

    struct PerRing {
        std::uint64_t events, discarded, lost, damaged, damaged_bytes;
        std::size_t most; // bytes it held at its fullest
    };
    std::size_t size() const { return rings_.size(); }
    PerRing of(std::size_t ring) const;

  private:
    struct Source {
        std::unique_ptr<Ring> ring;
        std::uint64_t events = 0;
        std::size_t most = 0;
        std::uint64_t ts = 0; // of the front record, while there is one
        Bytes record;
    };
    static constexpr std::uint64_t kNothing =
        ~0ULL; // a source's ts when it has no more in this batch

    void begin();
    void end();
    void fetch(Source& source);   // looks at its front record
    void advance(Source& source); // is done with that one, and looks at the next
    Source* earliest(std::uint64_t& next_ts);
    // The event of the source's front record; nothing, and counted, when it is none.
    std::optional<event::EventView> parse(const Source& source, std::uint16_t& cpu);

    std::vector<Source> rings_;
    std::size_t fullest_ = 0;
    std::uint64_t late_ = 0, unparsed_ = 0, last_ts_ = 0;
};

template <typename Take>
std::size_t RingSet::batch(Take&& take) {
    begin();
    std::size_t given = 0;
    bool more = true;
    std::uint64_t next_ts = 0;
    while (Source* source = more ? earliest(next_ts) : nullptr) {
        // Events come in runs of one ring: look at the others only when this one has passed them.
        do {
            std::uint16_t cpu = 0;
            if (const auto view = parse(*source, cpu)) {
                ++given;
                ++source->events;
                late_ += source->ts < last_ts_;
                last_ts_ = source->ts;
                more = take(RingEvent{*view, cpu});
            }
            advance(*source);
        } while (more && source->ts <= next_ts && source->ts != kNothing);
    }
    end();
    return given;
}

} // namespace tiercel::ring
