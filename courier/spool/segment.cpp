// SPDX-License-Identifier: Apache-2.0
//
// Implements a segment: a file of encoded records, one behind the other. A process that is killed
// leaves either the whole of a write or a part, which the next start cuts off.
#include "courier/spool/segment.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace tiercel::courier {

namespace {

constexpr std::string_view kSuffix = ".spool";
constexpr std::size_t kDigits = 20;
constexpr std::size_t kReadAtOnce = 256 << 10;
constexpr mode_t kMode = 0600;

// Writes all of `bytes` at the end of the file. Returns false with errno.
bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written == 0 ? EIO : errno;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Reads up to `size` bytes from `offset` on into `buffer`, whose size becomes what was read.
void read_at(int fd, std::uint64_t offset, std::size_t size, std::vector<char>& buffer) {
    buffer.resize(size);
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got =
            pread(fd, buffer.data() + have, size - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    buffer.resize(have);
}

} // namespace

std::string Segment::name() const {
    char text[kDigits + 1];
    snprintf(text, sizeof text, "%020llu", static_cast<unsigned long long>(first_));
    return text + std::string(kSuffix);
}

std::uint64_t Segment::first_of(std::string_view name) {
    std::uint64_t first = kNone;
    if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix))
        return kNone;
    const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, first);
    return error == std::errc() && end == name.data() + kDigits ? first : kNone;
}

void Segment::note(const Record& record) {
    next_ = record.index + 1;
    oldest_ns_ = records_ == 0 ? record.stored_ns : oldest_ns_;
    newest_ns_ = record.stored_ns;
    ++records_;
    ++counts_[record.priority];
}

os::Result<Segment> Segment::open(const os::UniqueFd& directory, std::uint64_t first,
                                  const std::function<void(const Record&)>& found) {
    Segment segment(directory, first);
    const std::string name = segment.name();
    segment.fd_ = os::UniqueFd(openat(directory.get(), name.c_str(),
                                      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
    struct stat info {};
    if (!segment.fd_.valid() || fstat(segment.fd_.get(), &info) != 0)
        return os::error("open the spool's file", name);
    segment.bytes_ = static_cast<std::uint64_t>(info.st_size);
    std::uint64_t good = 0;
    while (good < segment.bytes_) {
        Batch batch;
        const std::size_t read = segment.read(good, ~std::size_t{0}, kReadAtOnce, batch);
        if (read == 0)
            break;
        for (const Record& record : batch.records) {
            segment.note(record);
            if (found)
                found(record);
        }
        good += read;
    }
    if (good < segment.bytes_ && ftruncate(segment.fd_.get(), static_cast<off_t>(good)) != 0)
        return os::error("cut the damaged end of the spool's file", name);
    segment.bytes_ = good;
    return segment;
}

os::Result<void> Segment::append(std::string_view encoded, std::span<const Record> records) {
    if (!write_all(fd_.get(), encoded)) {
        const os::Error error = os::error("write the spool's file", name());
        if (ftruncate(fd_.get(), static_cast<off_t>(bytes_)) != 0)
            return os::error("restore the spool's file", name());
        return error;
    }
    bytes_ += encoded.size();
    for (const Record& record : records)
        note(record);
    return {};
}

os::Result<void> Segment::sync() const {
    if (fdatasync(fd_.get()) != 0)
        return os::error("synchronise the spool's file", name());
    return {};
}

os::UniqueFd Segment::another_fd() const {
    return os::UniqueFd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
}

void Segment::remove() const {
    unlinkat(directory_->get(), name().c_str(), 0);
}

std::size_t Segment::read(std::uint64_t offset, std::size_t most_records, std::size_t most_bytes,
                          Batch& batch) const {
    batch.records.clear();
    const std::uint64_t left = bytes_ > offset ? bytes_ - offset : 0;
    for (std::size_t size = std::min(most_bytes, kMostRecordBytes);; size = kMostRecordBytes) {
        read_at(fd_.get(), offset, std::min<std::size_t>(size, left), batch.bytes);
        std::string_view rest(batch.bytes.data(), batch.bytes.size());
        Record record;
        while (batch.records.size() < most_records) {
            const std::size_t length = decode(rest, record);
            if (length == 0)
                break;
            batch.records.push_back(record);
            rest.remove_prefix(length);
        }
        // A record that is longer than `most_bytes` is read in a second attempt.
        if (!batch.records.empty() || size >= kMostRecordBytes || size >= left)
            return batch.bytes.size() - rest.size();
    }
}

void Segment::each(const std::function<void(const Record&)>& visit) const {
    Batch batch;
    for (std::uint64_t offset = 0; offset < bytes_;) {
        const std::size_t read = this->read(offset, ~std::size_t{0}, kReadAtOnce, batch);
        if (read == 0)
            return;
        for (const Record& record : batch.records)
            visit(record);
        offset += read;
    }
}

os::Result<void> Segment::drop_priority(std::uint8_t priority,
                                        const std::function<void(const Record&)>& dropped) {
    Segment fresh(*directory_, first_);
    const std::string draft = name() + ".new";
    fresh.fd_ = os::UniqueFd(openat(directory_->get(), draft.c_str(),
                                    O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
    if (!fresh.fd_.valid())
        return os::error("make the spool's file", draft);
    std::string encoded;
    each([&](const Record& record) {
        if (record.priority != priority) {
            encode(record, encoded);
            fresh.note(record);
        }
    });
    if (!write_all(fresh.fd_.get(), encoded) ||
        renameat(directory_->get(), draft.c_str(), directory_->get(), name().c_str()) != 0) {
        const os::Error error = os::error("write the spool's file", draft);
        unlinkat(directory_->get(), draft.c_str(), 0);
        return error;
    }
    each([&](const Record& record) {
        if (record.priority == priority)
            dropped(record);
    });
    fresh.bytes_ = encoded.size();
    fresh.next_ = next_;
    fresh.generation_ = generation_ + 1;
    *this = std::move(fresh);
    return {};
}

} // namespace tiercel::courier
