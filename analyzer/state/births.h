// SPDX-License-Identifier: Apache-2.0
//
// Births remembers what a clone needs to know of threads that are not in the table. Parent and
// child each report a clone, in either order, and the child may end before the parent's report
// comes. Bounded: a newer thread takes the entry of an older one whose id differs by a multiple of
// kEntries.
#pragma once

#include <cstdint>
#include <vector>

namespace tiercel::state {

class Births {
  public:
    static constexpr std::size_t kEntries = 8192;
    static constexpr std::int64_t kUnknown = -1;

    // Records the end of a thread. `awaited`: its parent has not reported the clone yet.
    void end(std::int64_t tid, std::uint64_t ts, bool awaited) {
        at(tid) = {.tid = tid, .ended_ts = ts, .creator = kUnknown, .awaited = awaited};
    }
    // Records which thread has created `tid`, for the child's own report.
    void create(std::int64_t tid, std::int64_t creator) {
        at(tid) = {.tid = tid, .ended_ts = 0, .creator = creator, .awaited = false};
    }
    // Whether the thread ended at `ts` or later.
    bool ended_since(std::int64_t tid, std::uint64_t ts) const {
        const Entry& entry = at(tid);
        return entry.tid == tid && entry.ended_ts != 0 && entry.ended_ts >= ts;
    }
    // Whether the thread has ended before its parent's report. Forgets the thread.
    bool take_awaited(std::int64_t tid) {
        Entry& entry = at(tid);
        const bool awaited = entry.tid == tid && entry.awaited;
        if (entry.tid == tid)
            entry = {};
        return awaited;
    }
    // The thread that has created `tid`, or kUnknown. Forgets the thread.
    std::int64_t take_creator(std::int64_t tid) {
        Entry& entry = at(tid);
        if (entry.tid != tid)
            return kUnknown;
        const std::int64_t creator = entry.creator;
        entry = {};
        return creator;
    }

  private:
    struct Entry {
        std::int64_t tid = kUnknown;
        std::uint64_t ended_ts = 0; // 0: has not ended
        std::int64_t creator = kUnknown;
        bool awaited = false;
    };
    Entry& at(std::int64_t tid) { return entries_[static_cast<std::uint64_t>(tid) % kEntries]; }
    const Entry& at(std::int64_t tid) const {
        return entries_[static_cast<std::uint64_t>(tid) % kEntries];
    }
    std::vector<Entry> entries_ = std::vector<Entry>(kEntries);
};

} // namespace tiercel::state
