// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/perf_ring.h"

#include <linux/perf_event.h>

#include <bit>
#include <cstring>

#include "kernel/common/abi.h"
#include "shared/event/view.h"

namespace tiercel::ring {

namespace {

constexpr std::size_t kLongest = 1 << 16; // of a record: its size has 16 bits

struct Sample {
    perf_event_header header;
    std::uint32_t length;
};
constexpr std::size_t kSampleHeader = offsetof(Sample, length) + sizeof(Sample::length);

struct Lost {
    perf_event_header header;
    std::uint64_t id, lost;
};

template <typename Position>
auto* position(const os::Mapping& mapping, Position perf_event_mmap_page::*member) {
    auto* page = reinterpret_cast<perf_event_mmap_page*>(mapping.data());
    return reinterpret_cast<std::uint64_t*>(&(page->*member));
}

// Removes the padding behind the event and its trailer. If the event's length does not fit, returns
// the sample unchanged; its reader then finds that it is no event.
Bytes without_padding(Bytes sample) {
    event::Header header{};
    if (sample.size() < sizeof header)
        return sample;
    std::memcpy(&header, sample.data(), sizeof header);
    const std::size_t bytes = header.len + sizeof(tiercel_record_trailer);
    return bytes <= sample.size() && sample.size() - bytes < 8 ? sample.first(bytes) : sample;
}

} // namespace

PerfRing::PerfRing(os::Mapping mapping, std::size_t page, std::size_t size)
    : Ring(position(mapping, &perf_event_mmap_page::data_head),
           position(mapping, &perf_event_mmap_page::data_tail), size),
      mapping_(std::move(mapping)), data_(mapping_.data() + page),
      joined_(std::make_unique<std::byte[]>(kLongest)) {}

os::Result<PerfRing> PerfRing::map(const os::UniqueFd& fd, std::size_t data_bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    if (!std::has_single_bit(data_bytes) || data_bytes % page != 0)
        return os::error("map", "a perf buffer, because its size is not valid", EINVAL);
    auto mapping =
        os::Mapping::shared(fd, page + data_bytes, 0, PROT_READ | PROT_WRITE, "a perf buffer");
    if (!mapping)
        return mapping.error();
    return PerfRing(*std::move(mapping), page, data_bytes);
}

const std::byte* PerfRing::piece(std::size_t at, std::size_t bytes) {
    const std::size_t begin = (offset() + at) & (size() - 1);
    const std::size_t before_the_end = size() - begin;
    if (bytes <= before_the_end)
        return data_ + begin;
    std::memcpy(joined_.get(), data_ + begin, before_the_end);
    std::memcpy(joined_.get() + before_the_end, data_, bytes - before_the_end);
    return joined_.get();
}

std::optional<Bytes> PerfRing::front() {
    while (limit_ - position_ >= sizeof(perf_event_header)) {
        perf_event_header header{}; // never wraps: sizes are multiples of 8
        std::memcpy(&header, data_ + offset(), sizeof header);
        if (header.size < sizeof header || header.size % 8 != 0 ||
            header.size > limit_ - position_) {
            skip_damage();
            return std::nullopt;
        }
        if (header.type == PERF_RECORD_SAMPLE && header.size >= kSampleHeader) {
            std::uint32_t length = 0;
            std::memcpy(&length, piece(sizeof header, sizeof length), sizeof length);
            if (length > header.size - kSampleHeader) {
                skip_damage();
                return std::nullopt;
            }
            front_bytes_ = header.size;
            return without_padding(Bytes(piece(kSampleHeader, length), length));
        }
        if (header.type == PERF_RECORD_LOST && header.size >= sizeof(Lost)) {
            Lost record{};
            std::memcpy(&record, piece(0, sizeof record), sizeof record);
            lost_ += record.lost;
        } else {
            ++discarded_; // a record of the kernel itself, such as throttling
        }
        position_ += header.size;
    }
    return std::nullopt;
}

} // namespace tiercel::ring
