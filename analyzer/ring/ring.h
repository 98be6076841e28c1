// SPDX-License-Identifier: Apache-2.0
//
// Ring is the reader's end of one ring of any layout. It gives the records in place, in the order
// in which they were written, and returns their room to the producer with release(). Positions only
// grow; modulo the size, a power of two, they are offsets.
//
// A ring's content is not trusted. If a length is impossible, the rest up to the producer's
// position is skipped and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "shared/os/mapping.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ring {

using Bytes = std::span<const std::byte>;

class Ring {
  public:
    virtual ~Ring() = default;

    // Reads the producer's position, up to which front() and pop() then go.
    void snapshot();

    // The oldest finished record. Returns nothing at the end of the snapshot and at a record that
    // is still being written. The bytes are valid until release().
    virtual std::optional<Bytes> front() = 0;
    void pop() { // moves past the record of front()
        position_ += front_bytes_;
        front_bytes_ = 0;
    }

    // Goes on where another reader has stopped: at `done`, if that is the border of a waiting
    // record, otherwise at the consumer's position. Returns false if the ring is not as its writer
    // leaves it, so that no position in it can be trusted. Call before the first snapshot.
    // `pages`: the writer numbers its pages (kernel/bpf/ringbuf.c does, the module does not).
    virtual bool resume(std::uint64_t done, bool pages) = 0;
    std::uint64_t record_position() const { return position_; }

    // Returns the room of all popped records to the producer.
    void release();

    std::size_t unreleased() const { return static_cast<std::size_t>(position_ - released_); }
    std::size_t size() const { return size_; }
    // Bytes produced and not yet popped, as of the snapshot.
    std::size_t pending() const { return static_cast<std::size_t>(limit_ - position_); }

    std::uint64_t discarded() const { return discarded_; } // records thrown away by the probe
    std::uint64_t lost() const { return lost_; }       // records that the kernel reports as lost
    std::uint64_t damaged() const { return damaged_; } // stretches whose length was impossible
    std::uint64_t damaged_bytes() const { return damaged_bytes_; } // and their bytes

  protected:
    // `producer` and `consumer` point to the positions of the two sides, in mappings of the derived
    // class. Reading starts at the consumer's position.
    Ring(const std::uint64_t* producer, std::uint64_t* consumer, std::size_t size);
    Ring(Ring&&) = default;
    Ring& operator=(Ring&&) = default;

    // Returns false if the positions cannot be those of a ring of this size.
    bool positions_are_possible() const;

    std::size_t offset() const { return static_cast<std::size_t>(position_ & (size_ - 1)); }
    void skip_damage();

    std::uint64_t position_ = 0;    // next record
    std::uint64_t limit_ = 0;       // the snapshot
    std::uint64_t front_bytes_ = 0; // room of the record at position_, if front() found one
    std::uint64_t discarded_ = 0, lost_ = 0;

  private:
    const std::uint64_t* producer_;
    std::uint64_t* consumer_;
    std::size_t size_;
    std::uint64_t released_ = 0; // the position_ that the producer has been told
    std::uint64_t damaged_ = 0, damaged_bytes_ = 0;
};

} // namespace tiercel::ring
