// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/iterator.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tiercel::ring {

namespace {
constexpr std::size_t kBuffer = 256 << 10;
constexpr std::uint32_t kLongest = 128 << 10; // of an event; larger lengths are damage
} // namespace

bool IteratorReader::split(Count& count, const std::function<void(const event::EventView&)>& take) {
    while (end_ - begin_ >= sizeof(event::Header)) {
        event::Header header{};
        std::memcpy(&header, buffer_.data() + begin_, sizeof header);
        if (header.len < sizeof header || header.len > kLongest)
            return false;
        if (header.len > end_ - begin_)
            return true;
        if (const auto view = event::EventView::parse({buffer_.data() + begin_, header.len})) {
            ++count.events;
            take(*view);
        } else {
            ++count.skipped;
        }
        begin_ += header.len;
    }
    return true;
}

os::Result<IteratorReader::Count>
IteratorReader::read_all(const os::UniqueFd& fd,
                         const std::function<void(const event::EventView&)>& take,
                         const std::function<void()>& between) {
    buffer_.resize(kBuffer);
    begin_ = end_ = 0;
    Count count;
    for (;;) {
        const ssize_t got = read(fd.get(), buffer_.data() + end_, buffer_.size() - end_);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return os::error("read", "an iterator");
        if (got == 0)
            break;
        if (count.unframed_bytes > 0) { // the framing is lost: only count the rest
            count.unframed_bytes += static_cast<std::uint64_t>(got);
        } else {
            end_ += static_cast<std::size_t>(got);
            if (!split(count, take)) {
                count.unframed_bytes = end_ - begin_;
                end_ = begin_;
            }
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (between)
            between();
    }
    count.unframed_bytes += end_ - begin_; // an event that was cut short
    std::vector<std::byte>().swap(buffer_);
    return count;
}

} // namespace tiercel::ring
