// SPDX-License-Identifier: Apache-2.0
//
// Implements the spool: a row of segments, and a reader for each destination. Limits are in
// room.cpp.
#include "courier/spool/spool.h"

#include <algorithm>

#include "shared/os/clock.h"

namespace tiercel::courier {

namespace {

constexpr std::size_t kMostClients = 64;

} // namespace

Spool::Spool(Directory directory, const Limits& limits)
    : directory_(std::move(directory)), limits_(limits) {}

os::Result<std::unique_ptr<Spool>> Spool::open(const std::string& directory, const Limits& limits,
                                               const std::vector<std::string>& destinations) {
    auto opened = open_directory(directory);
    if (!opened)
        return opened.error();
    std::unique_ptr<Spool> spool(new Spool(*std::move(opened), limits));
    if (auto loaded = spool->load(destinations); !loaded)
        return loaded.error();
    return spool;
}

os::Result<void> Spool::load(const std::vector<std::string>& destinations) {
    auto agent = agent_id(directory_.fd);
    if (!agent)
        return agent.error();
    agent_ = *agent;
    remove_other_cursors(directory_.fd, destinations);
    std::vector<std::uint64_t> firsts;
    for (const std::string& file : files_of(directory_.fd)) {
        if (const std::uint64_t first = Segment::first_of(file); first != Segment::kNone)
            firsts.push_back(first);
        else if (file.ends_with(".new")) // a segment that was being written anew
            unlinkat(directory_.fd.get(), file.c_str(), 0);
    }
    std::ranges::sort(firsts);
    for (const std::uint64_t first : firsts) {
        auto segment = Segment::open(directory_.fd, first,
                                     [this](const Record& record) { note_client(record); });
        if (!segment)
            return segment.error();
        segments_.push_back(*std::move(segment));
    }
    std::uint64_t next = segments_.empty() ? 1 : segments_.back().next();
    for (const std::string& name : destinations) {
        auto cursor = Cursor::open(directory_.fd, name);
        if (!cursor)
            return cursor.error();
        next = std::max(next, cursor->next());
        Reader& reader = readers_.emplace_back();
        reader.cursor = *std::move(cursor);
    }
    if (segments_.empty() || segments_.back().next() < next) {
        auto segment = Segment::open(directory_.fd, next);
        if (!segment)
            return segment.error();
        segments_.push_back(*std::move(segment));
    }
    remove_passed();
    return {};
}

void Spool::note_client(const Record& record) {
    last_[{record.boot, record.session}] = record.sequence;
    if (last_.size() > kMostClients)
        last_.erase(last_.begin());
}

std::uint64_t Spool::last_sequence(const wire::courier::Boot& boot, std::uint64_t session) const {
    const std::lock_guard lock(mutex_);
    const auto found = last_.find({boot, session});
    return found == last_.end() ? 0 : found->second;
}

os::Result<void> Spool::rotate() {
    auto segment = Segment::open(directory_.fd, segments_.back().next());
    if (!segment)
        return segment.error();
    if (limits_.sync == Sync::interval)
        left_.push_back(segments_.back().another_fd());
    segments_.push_back(*std::move(segment));
    return {};
}

os::Result<void> Spool::append(std::span<Record> records) {
    const std::lock_guard lock(mutex_);
    std::string encoded;
    std::uint64_t index = segments_.back().next();
    const std::uint64_t now = os::now_ns(CLOCK_REALTIME);
    for (Record& record : records) {
        record.index = index++;
        record.stored_ns = now;
        encode(record, encoded);
    }
    if (segments_.back().records() > 0 &&
        segments_.back().bytes() + encoded.size() > segment_limit())
        if (auto rotated = rotate(); !rotated)
            return rotated;
    if (auto room = make_room(encoded.size()); !room)
        return room;
    if (auto appended = segments_.back().append(encoded, records); !appended)
        return appended;
    unsynced_ = true;
    if (limits_.sync == Sync::always) {
        if (auto synced = segments_.back().sync(); !synced)
            return synced;
        unsynced_ = false;
    }
    for (const Record& record : records)
        note_client(record);
    more_.notify_all();
    return {};
}

// Returns the segment that the reader's next record is in, and sets the reader to it; nullptr:
// there is no such record.
Segment* Spool::segment_of(Reader& reader) {
    for (Segment& segment : segments_) {
        if (segment.next() <= reader.cursor.next() || segment.records() == 0)
            continue;
        if (reader.segment != segment.first() || reader.generation != segment.generation()) {
            reader.segment = segment.first();
            reader.generation = segment.generation();
            reader.offset = 0;
        }
        if (reader.offset < segment.bytes())
            return &segment;
    }
    return nullptr;
}

bool Spool::read(std::size_t destination, std::size_t most_records, std::size_t most_bytes,
                 Batch& batch, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    Reader& reader = readers_[destination];
    Segment* segment = nullptr;
    const auto there = [&] {
        segment = stopped_ ? nullptr : segment_of(reader);
        return stopped_ || segment != nullptr;
    };
    more_.wait_for(lock, patience, there);
    while (segment != nullptr) {
        const std::size_t bytes = segment->read(reader.offset, most_records, most_bytes, batch);
        const auto wanted = std::ranges::find_if(batch.records, [&reader](const Record& record) {
            return record.index >= reader.cursor.next();
        });
        if (wanted != batch.records.end()) {
            batch.records.erase(batch.records.begin(), wanted);
            reader.oldest_ns = batch.records.front().stored_ns;
            reader.read_next = batch.records.back().index + 1;
            reader.read_end = reader.offset + bytes;
            return true;
        }
        reader.offset += bytes; // the destination has all of these
        segment = bytes == 0 ? nullptr : segment_of(reader);
    }
    reader.oldest_ns = 0;
    return false;
}

os::Result<void> Spool::advance(std::size_t destination, std::uint64_t next) {
    const std::lock_guard lock(mutex_);
    Reader& reader = readers_[destination];
    if (next <= reader.cursor.next())
        return {};
    if (auto moved = reader.cursor.move_to(next); !moved)
        return moved;
    unsynced_ = true;
    const auto in = std::ranges::find(segments_, reader.segment, &Segment::first);
    if (next == reader.read_next && in != segments_.end() && in->generation() == reader.generation)
        reader.offset = reader.read_end;
    reader.oldest_ns = segment_of(reader) == nullptr ? 0 : reader.oldest_ns;
    remove_passed();
    return {};
}

// The last segment stays, because its name tells the next index.
void Spool::remove_passed() {
    while (segments_.size() > 1 && std::ranges::all_of(readers_, [this](const Reader& reader) {
               return reader.cursor.next() >= segments_.front().next();
           })) {
        segments_.front().remove();
        segments_.pop_front();
    }
}

Spool::Backlog Spool::backlog(std::size_t destination) const {
    const std::lock_guard lock(mutex_);
    const Reader& reader = readers_[destination];
    Backlog backlog{.bytes = 0, .oldest_ns = reader.oldest_ns, .dropped = reader.dropped};
    for (const Segment& segment : segments_) {
        if (segment.next() <= reader.cursor.next())
            continue;
        const bool here = segment.first() == reader.segment;
        backlog.bytes += segment.bytes() - (here ? std::min(reader.offset, segment.bytes()) : 0);
    }
    return backlog;
}

void Spool::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    more_.notify_all();
}

} // namespace tiercel::courier
