// SPDX-License-Identifier: Apache-2.0
//
// SyntheticPerf: a memfd laid out as a perf buffer, with the test as its producer. It writes what
// the kernel would, and also what the kernel never would.
#pragma once

#include <linux/perf_event.h>

#include <algorithm>

#include "shared/os/mapping.h"
#include "tests/unit/ring/synthetic.h"

namespace tiercel::test {

class SyntheticPerf {
  public:
    explicit SyntheticPerf(std::size_t size, std::uint64_t start = 0)
        : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), size_(size),
          fd_(memfd_create("perf", MFD_CLOEXEC)) {
        if (ftruncate(fd_.get(), static_cast<off_t>(page_ + size)) != 0)
            throw std::runtime_error("memfd");
        auto mapped = os::Mapping::shared(fd_, page_ + size, 0, PROT_READ | PROT_WRITE, "memfd");
        if (!mapped)
            throw std::runtime_error("mmap");
        memory_ = *std::move(mapped);
        page()->data_head = page()->data_tail = start;
    }

    const os::UniqueFd& fd() const { return fd_; }
    os::UniqueFd duplicate() const { return os::UniqueFd(dup(fd_.get())); }
    std::size_t size() const { return size_; }

    std::uint64_t consumer() { return page()->data_tail; }
    std::uint64_t producer() { return page()->data_head; }
    void set_producer(std::uint64_t value) { page()->data_head = value; }
    void set_consumer(std::uint64_t value) { page()->data_tail = value; }
    // Overwrites the data from its beginning, as far as it goes.
    void fill(const std::uint8_t* bytes, std::size_t count) {
        std::memcpy(memory_.data() + page_, bytes, std::min(count, size_));
    }

    // Appends a sample, padded as the kernel pads it; returns its position.
    std::uint64_t produce(const Buffer& bytes) {
        const std::size_t length = ((bytes.size() + 4 + 7) & ~std::size_t{7}) - 4;
        Buffer body(4 + length);
        const auto word = static_cast<std::uint32_t>(length);
        std::memcpy(body.data(), &word, sizeof word);
        std::copy(bytes.begin(), bytes.end(), body.begin() + 4);
        return produce(PERF_RECORD_SAMPLE, body);
    }
    std::uint64_t produce_lost(std::uint64_t lost) {
        const std::uint64_t words[] = {4711, lost};
        const auto* bytes = reinterpret_cast<const std::byte*>(words);
        return produce(PERF_RECORD_LOST, Buffer(bytes, bytes + sizeof words));
    }
    // Any record; its size is what its header takes with `body`.
    std::uint64_t produce(std::uint32_t type, const Buffer& body) {
        const std::uint64_t at = producer();
        set_header(at, type, sizeof(perf_event_header) + body.size());
        for (std::size_t i = 0; i < body.size(); ++i)
            put(at + sizeof(perf_event_header) + i, body[i]);
        set_producer(at + sizeof(perf_event_header) + body.size());
        return at;
    }
    void set_header(std::uint64_t at, std::uint32_t type, std::size_t size) {
        const perf_event_header header{type, 0, static_cast<__u16>(size)};
        put_word(at, header);
    }
    void set_length(std::uint64_t at, std::uint32_t length) {
        put_word(at + sizeof(perf_event_header), length);
    }

  private:
    perf_event_mmap_page* page() { return reinterpret_cast<perf_event_mmap_page*>(memory_.data()); }
    template <typename Word>
    void put_word(std::uint64_t at, const Word& word) {
        for (std::size_t i = 0; i < sizeof word; ++i)
            put(at + i, reinterpret_cast<const std::byte*>(&word)[i]);
    }
    void put(std::uint64_t at, std::byte value) {
        memory_.data()[page_ + (static_cast<std::size_t>(at) & (size_ - 1))] = value;
    }

    std::size_t page_, size_;
    os::UniqueFd fd_;
    os::Mapping memory_;
};

} // namespace tiercel::test
