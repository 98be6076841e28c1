// SPDX-License-Identifier: Apache-2.0
//
// Progress: how far a reader has evaluated its rings, in memory that outlives the reader. The next
// reader of the same rings goes on there, so that each event is evaluated once, however the reader
// before it ended.
//
// A ring's own consumer position lags behind, because the room of many records is released at once.
// The memory is written by an unprivileged process that may have been taken over, so resume()
// (ring_set.h) believes no position that is not the border of a record.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/os/mapping.h"

namespace tiercel::ring {

class Progress {
  public:
    // As many as a hand-over may have (wire::kFdsOfKindMax).
    static constexpr std::size_t kMostRings = 1024;

    // A record, by its ring and its position in it.
    struct Place {
        std::uint64_t ring = ~0ULL, position = 0;
        bool operator==(const Place&) const = default;
        explicit operator bool() const { return ring != ~0ULL; }
    };

    // The layout of the memory. A memory of zeros is that of a first reader.
    struct Shared {
        std::uint64_t readers;      // that have begun to read
        std::uint64_t ring_and_one; // of the record under evaluation; 0: there is none
        std::uint64_t position;     // of that record
        std::uint64_t signal;       // by which the reader crashed; 0: it did not, or was killed
        std::uint64_t suspect_ring_and_one, suspect_position; // as the reader before left them
        std::uint64_t skipped;                                // records that crashed their readers
        std::uint64_t barren;           // readers in a row that ended before their first record
        std::uint64_t done[kMostRings]; // the position up to which the records are evaluated
    };

    Progress() = default; // there is no next reader, so nothing is noted
    explicit Progress(os::Mapping mapping) : mapping_(std::move(mapping)) {}

    explicit operator bool() const { return mapping_.size() >= sizeof(Shared); }
    Shared& shared() const { return *reinterpret_cast<Shared*>(mapping_.data()); }

    // Call before the evaluation of a record. A signal that ends the process between the calls
    // leaves the record's place.
    void begin(std::size_t ring, std::uint64_t position) const {
        store(shared().position, position);
        store(shared().ring_and_one, ring + 1);
    }
    // Call after it; `position` is that of the next record.
    void end(std::size_t ring, std::uint64_t position) const {
        store(shared().done[ring], position);
        store(shared().ring_and_one, 0);
    }
    // Returns the record under evaluation.
    Place current() const;
    // Returns the record that the reader before did not finish, and that is evaluated again.
    Place unfinished() const {
        return place(shared().suspect_ring_and_one, shared().suspect_position);
    }
    std::uint64_t done(std::size_t ring) const { return load(shared().done[ring]); }
    // Returns false if the record's evaluation has not ended, so that it is evaluated (again).
    bool is_done(Place place) const {
        return place.ring >= kMostRings || done(place.ring) > place.position;
    }

    // Call once, before the first begin(). Returns the record that must not be evaluated: it
    // crashed its reader, or two readers died while they evaluated it.
    Place start_reader() const;

  private:
    static Place place(std::uint64_t ring_and_one, std::uint64_t position) {
        return ring_and_one == 0 || ring_and_one > kMostRings ? Place{}
                                                              : Place{ring_and_one - 1, position};
    }
    static void store(std::uint64_t& word, std::uint64_t value) {
        __atomic_store_n(&word, value, __ATOMIC_RELEASE);
    }
    static std::uint64_t load(const std::uint64_t& word) {
        return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
    }

    os::Mapping mapping_;
};

} // namespace tiercel::ring
