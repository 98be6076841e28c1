// SPDX-License-Identifier: Apache-2.0
//
// RingSet reads all rings of a session as one stream of events, ordered by time.
//
// A batch first reads every producer's position and then merges the records below these positions,
// so an empty ring or an unfinished record delays no other ring. Within a batch, events are ordered
// as far as each ring has them in order; CPUs that share a ring may swap neighbours. Across batches
// the order is best effort: an event that was finished after the snapshot comes in the next batch,
// possibly after a slightly later event of another ring. late() counts these.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analyzer/ring/progress.h"
#include "analyzer/ring/ring.h"
#include "shared/event/view.h"

namespace tiercel::ring {

// One event of a ring. `view` is valid during the call of `take`.
struct RingEvent {
    const event::EventView& view;
    std::uint16_t cpu = 0;
    Progress::Place place = {};
};

class RingSet {
  public:
    // Maps every ring. All have the same layout (BpfRing or PerfRing) and data areas of
    // `data_bytes`. The caller keeps ownership of the fds.
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

    // Makes batches note in `progress` which record is being evaluated, which is the case while
    // `take` runs. With nullptr, batches note nothing. `progress` must outlive this object.
    void follow(const Progress* progress) { progress_ = progress; }

    // Goes on where the reader of `progress` has stopped. Returns false if a ring is not as its
    // writer leaves it. `pages`: as in Ring::resume().
    bool resume(const Progress& progress, bool pages);

    // Passes over the record at `place`, if it is the next one of its ring. Returns its bytes,
    // which are valid until the next batch; empty if it is not there.
    Bytes skip(Progress::Place place, Progress& progress);

    // Returns the time of each event that waits now, ring by ring, and passes them. Their room is
    // not returned, so that another set of the same rings still reads them: use one only for this.
    std::vector<std::uint64_t> pass_times();

    // Returns how many bytes wait in the fullest ring now.
    std::size_t waiting();

    // Takes a snapshot of all rings and calls `take(RingEvent)` for each event in it until `take`
    // returns false; the rest comes with the next batch. Returns the number of calls.
    template <typename Take>
    std::size_t batch(Take&& take);

    // Bytes that waited in the fullest ring when the last batch began, out of ring_bytes().
    std::size_t fullest() const { return fullest_; }
    std::size_t ring_bytes() const { return rings_.empty() ? 0 : rings_.front().ring->size(); }

    // Events whose time was before that of the event given before them.
    std::uint64_t late() const { return late_; }
    // Records that were no event: damaged, or with an unknown code.
    std::uint64_t unparsed() const { return unparsed_; }

    struct PerRing {
        std::uint64_t events, discarded, lost, damaged, damaged_bytes;
        std::size_t most; // the most bytes that it held
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

    std::size_t index_of(const Source& source) const {
        return static_cast<std::size_t>(&source - rings_.data());
    }
    void begin();
    void end();
    void fetch(Source& source);   // reads the front record
    void advance(Source& source); // drops the front record and reads the next
    Source* earliest(std::uint64_t& next_ts);
    // The event of the source's front record; counts the record and returns nothing if it is no
    // event.
    std::optional<event::EventView> parse(const Source& source, std::uint16_t& cpu);

    std::vector<Source> rings_;
    const Progress* progress_ = nullptr;
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
        // Events come in runs of one ring, so stay with this ring until another has an earlier
        // event.
        do {
            std::uint16_t cpu = 0;
            if (const auto view = parse(*source, cpu)) {
                ++given;
                ++source->events;
                late_ += source->ts < last_ts_;
                last_ts_ = source->ts;
                const Progress::Place place{index_of(*source), source->ring->record_position()};
                if (progress_ != nullptr)
                    progress_->begin(place.ring, place.position);
                more = take(RingEvent{*view, cpu, place});
            }
            advance(*source);
        } while (more && source->ts <= next_ts && source->ts != kNothing);
    }
    end();
    return given;
}

} // namespace tiercel::ring
