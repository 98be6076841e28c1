// SPDX-License-Identifier: Apache-2.0
//
// Spool: the alerts on disk, between the analyzer and the destinations. Each destination reads them
// in order from a cursor of its own. A segment leaves when every destination has passed it, or when
// the spool has reached its limit of bytes or age; what a destination then misses is counted.
//
//     auto spool = Spool::open("/var/lib/tiercel-courier", limits, {"siem", "archive"});
//     (*spool)->append(records);                             // on disk when it returns
//     (*spool)->read(0, 500, 256 << 10, batch, 1s);          // in the thread of the destination 0
//     (*spool)->advance(0, batch.records.back().index + 1);  // its receiver has acknowledged
//
// All functions may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "courier/spool/cursor.h"
#include "courier/spool/directory.h"
#include "courier/spool/segment.h"

namespace tiercel::courier {

// When files are synchronised, so that an alert survives a crash of the machine: before the
// analyzer's alert counts as stored, once a second, or never (a crash of the courier loses nothing
// even then).
enum class Sync : std::uint8_t { always, interval, never };
enum class Drop : std::uint8_t { oldest, lowest_priority };

struct Limits {
    std::uint64_t bytes = 256 << 20;
    std::uint64_t age_seconds = std::uint64_t{7} * 86'400;
    Sync sync = Sync::interval;
    Drop drop = Drop::oldest;
};

class Spool {
  public:
    // Opens the spool of the directory, which must exist, for destinations of these names.
    static os::Result<std::unique_ptr<Spool>> open(const std::string& directory,
                                                   const Limits& limits,
                                                   const std::vector<std::string>& destinations);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    const AgentId& agent() const { return agent_; }

    // Stores the records, and sets their `index` and `stored_ns`. If this fails, none is stored.
    os::Result<void> append(std::span<Record> records);
    // Returns the largest sequence that is stored of this client; 0: none.
    std::uint64_t last_sequence(const wire::courier::Boot& boot, std::uint64_t session) const;

    // Waits up to `patience` for records at the destination's cursor, and reads them. Returns false
    // if there are none.
    bool read(std::size_t destination, std::size_t most_records, std::size_t most_bytes,
              Batch& batch, std::chrono::milliseconds patience);
    // Moves the destination's cursor to `next`, and removes segments that nothing needs any more.
    os::Result<void> advance(std::size_t destination, std::uint64_t next);

    // Drops what is older than the limit.
    os::Result<void> maintain(std::uint64_t now_ns);
    // Synchronises the files if that is done once a second. Other calls need not wait for it, so
    // that a slow disk holds nothing up.
    os::Result<void> synchronise();

    struct Backlog {
        std::uint64_t bytes = 0;
        std::uint64_t oldest_ns = 0; // when its oldest record was stored; 0: nothing waits
        std::uint64_t dropped = 0;   // records that left before the destination had them
    };
    Backlog backlog(std::size_t destination) const;
    std::size_t destinations() const { return readers_.size(); }
    // Makes every read() return at once, from now on.
    void stop();

  private:
    // Where a destination reads.
    struct Reader {
        Cursor cursor;
        std::uint64_t segment = 0; // the first index of the segment that `offset` is in
        unsigned generation = 0;
        std::uint64_t offset = 0;
        std::uint64_t read_next = 0; // the index after the records that were read last
        std::uint64_t read_end = 0;  // the offset behind them
        std::uint64_t oldest_ns = 0;
        std::uint64_t dropped = 0;
    };
    using Client = std::pair<wire::courier::Boot, std::uint64_t>;

    Spool(Directory directory, const Limits& limits);
    os::Result<void> load(const std::vector<std::string>& destinations);
    os::Result<void> rotate();
    os::Result<void> make_room(std::uint64_t bytes);
    bool drop_least(std::uint8_t priority, std::uint64_t excess);
    void drop_oldest();
    void count_dropped(const Record& record);
    void remove_passed();
    void note_client(const Record& record);
    Segment* segment_of(Reader& reader);
    std::uint64_t total() const;
    std::uint64_t segment_limit() const;

    Directory directory_;
    AgentId agent_{};
    Limits limits_;
    mutable std::mutex mutex_;
    std::condition_variable more_;
    std::deque<Segment> segments_; // the last one is appended to
    std::deque<Reader> readers_;
    std::map<Client, std::uint64_t> last_;
    bool unsynced_ = false;
    std::vector<os::UniqueFd> left_; // files that were left behind unsynchronised
    bool stopped_ = false;
};

} // namespace tiercel::courier
