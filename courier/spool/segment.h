// SPDX-License-Identifier: Apache-2.0
//
// Segment: one file of the spool. Records are appended to the newest segment only; a segment leaves
// the spool as a whole.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>

#include "courier/spool/record.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

class Segment {
  public:
    // Opens the segment that begins with the record `first`, or makes it. Reads what it holds;
    // what follows the last whole record is cut off, because a write was interrupted there.
    // `directory` must outlive the segment.
    static os::Result<Segment> open(const os::UniqueFd& directory, std::uint64_t first,
                                    const std::function<void(const Record&)>& found = {});
    // Returns the first index that a file's name stands for; kNone if it is no segment's name.
    static std::uint64_t first_of(std::string_view name);
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};

    // Appends encoded records. Leaves the file as it was if not all of them could be written.
    os::Result<void> append(std::string_view encoded, std::span<const Record> records);
    os::Result<void> sync() const;
    // Returns a further descriptor of the file, which can be synchronised without this object.
    os::UniqueFd another_fd() const;
    // Removes the file.
    void remove() const;
    // Writes the segment anew without the records of this priority, in one step. Calls `dropped`
    // for each record that leaves.
    os::Result<void> drop_priority(std::uint8_t priority,
                                   const std::function<void(const Record&)>& dropped);

    // Reads from `offset` on: records up to `most_records` and about `most_bytes`, and at least one
    // if there is one. Returns the bytes that the records take in the file.
    std::size_t read(std::uint64_t offset, std::size_t most_records, std::size_t most_bytes,
                     Batch& batch) const;
    void each(const std::function<void(const Record&)>& visit) const;

    std::uint64_t first() const { return first_; }
    std::uint64_t next() const { return next_; }
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t records() const { return records_; }
    std::uint64_t count(std::uint8_t priority) const { return counts_[priority]; }
    std::uint64_t oldest_ns() const { return oldest_ns_; }
    std::uint64_t newest_ns() const { return newest_ns_; }
    // Changes when drop_priority() has written the file anew, so that offsets are void.
    unsigned generation() const { return generation_; }

  private:
    Segment(const os::UniqueFd& directory, std::uint64_t first)
        : directory_(&directory), first_(first), next_(first) {}
    std::string name() const;
    void note(const Record& record);

    const os::UniqueFd* directory_;
    os::UniqueFd fd_;
    std::uint64_t first_ = 0;
    std::uint64_t next_ = 0; // the index after the last record
    std::uint64_t bytes_ = 0;
    std::uint64_t records_ = 0;
    std::array<std::uint64_t, kPriorities> counts_{};
    std::uint64_t oldest_ns_ = 0;
    std::uint64_t newest_ns_ = 0;
    unsigned generation_ = 0;
};

} // namespace tiercel::courier
