// SPDX-License-Identifier: Apache-2.0
//
// Implements the spool's limits: which alerts the spool drops when it has reached its bytes or its
// age.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "courier/spool/spool.h"

namespace tiercel::courier {

namespace {

constexpr std::uint64_t kSegments = 16; // about as many make up a full spool
constexpr std::uint64_t kMostSegmentBytes = 4 << 20;
constexpr std::uint64_t kSecond = 1'000'000'000;

} // namespace

std::uint64_t Spool::total() const {
    std::uint64_t bytes = 0;
    for (const Segment& segment : segments_)
        bytes += segment.bytes();
    return bytes;
}

std::uint64_t Spool::segment_limit() const {
    return std::min(kMostSegmentBytes, limits_.bytes / kSegments);
}

void Spool::count_dropped(const Record& record) {
    for (Reader& reader : readers_)
        if (record.index >= reader.cursor.next())
            ++reader.dropped;
}

void Spool::drop_oldest() {
    segments_.front().each([this](const Record& record) { count_dropped(record); });
    segments_.front().remove();
    segments_.pop_front();
}

// Drops records of this priority from the oldest segments, until about `excess` bytes are free.
// Returns whether any was dropped. The last segment is left out, because it is appended to.
bool Spool::drop_least(std::uint8_t priority, std::uint64_t excess) {
    std::uint64_t freed = 0;
    for (std::size_t i = 0; i + 1 < segments_.size() && freed < excess; ++i) {
        Segment& segment = segments_[i];
        const std::uint64_t before = segment.bytes();
        if (segment.count(priority) == 0 ||
            !segment.drop_priority(priority,
                                   [this](const Record& record) { count_dropped(record); }))
            continue;
        freed += before - segment.bytes();
    }
    return freed > 0;
}

// Makes room for `bytes` more.
os::Result<void> Spool::make_room(std::uint64_t bytes) {
    while (total() + bytes > limits_.bytes) {
        if (segments_.size() == 1) {
            if (segments_.back().records() == 0) // the records alone are larger than the limit
                return {};
            if (auto rotated = rotate(); !rotated)
                return rotated;
        }
        const std::uint64_t excess = total() + bytes - limits_.bytes;
        bool dropped = false;
        if (limits_.drop == Drop::lowest_priority)
            for (std::size_t priority = kPriorities; priority-- > 0 && !dropped;)
                dropped = drop_least(static_cast<std::uint8_t>(priority), excess);
        if (!dropped)
            drop_oldest();
    }
    return {};
}

os::Result<void> Spool::maintain(std::uint64_t now_ns) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t age = limits_.age_seconds * kSecond;
    if (segments_.size() == 1 && segments_.back().records() > 0 &&
        segments_.back().oldest_ns() + age < now_ns)
        if (auto rotated = rotate(); !rotated)
            return rotated;
    while (segments_.size() > 1 &&
           (segments_.front().records() == 0 || segments_.front().newest_ns() + age < now_ns))
        drop_oldest();
    return {};
}

os::Result<void> Spool::synchronise() {
    std::vector<os::UniqueFd> files;
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(unsynced_, false) || limits_.sync != Sync::interval)
            return {};
        files = std::exchange(left_, {});
        files.push_back(segments_.back().another_fd());
        for (const Reader& reader : readers_)
            files.push_back(reader.cursor.another_fd());
    }
    for (const os::UniqueFd& file : files)
        if (fdatasync(file.get()) != 0)
            return os::error("synchronise", "the spool");
    return {};
}

} // namespace tiercel::courier
