// SPDX-License-Identifier: Apache-2.0
//
// SyntheticRing: a memfd laid out as a BPF ring, with the test as its producer. It writes what the
// kernel would, and also what the kernel never would.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event/view.h"
#include "shared/os/unique_fd.h"

namespace tiercel::test {

using Buffer = std::vector<std::byte>;

// A close event (result, fd) in the scap layout.
inline Buffer close_event(std::uint64_t ts, std::uint64_t tid, std::int64_t fd) {
    const std::uint16_t lengths[] = {8, 8};
    const std::int64_t values[] = {0, fd};
    event::Header header{};
    header.ts = ts;
    header.tid = tid;
    header.len = sizeof header + sizeof lengths + sizeof values;
    header.type = event::SYSCALL_CLOSE_X;
    header.nparams = 2;
    Buffer bytes(header.len);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, lengths, sizeof lengths);
    std::memcpy(bytes.data() + sizeof header + sizeof lengths, values, sizeof values);
    return bytes;
}

// The same as a ring carries it.
inline Buffer close_record(std::uint64_t ts, std::uint16_t cpu, std::int64_t fd) {
    const Buffer bytes = close_event(ts, 100, fd);
    Buffer record(bytes.size() + sizeof cpu);
    std::memcpy(record.data(), bytes.data(), bytes.size());
    std::memcpy(record.data() + bytes.size(), &cpu, sizeof cpu);
    return record;
}

inline Buffer text(std::string_view chars) {
    const auto* bytes = reinterpret_cast<const std::byte*>(chars.data());
    return {bytes, bytes + chars.size()};
}

class SyntheticRing {
  public:
    static constexpr std::uint32_t kBusy = 1U << 31, kDiscard = 1U << 30;

    explicit SyntheticRing(std::size_t size, std::uint64_t start = 0)
        : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), size_(size),
          fd_(memfd_create("ring", MFD_CLOEXEC)) {
        const std::size_t length = 2 * page_ + 2 * size;
        if (!fd_.valid() || ftruncate(fd_.get(), static_cast<off_t>(length)) != 0)
            throw std::runtime_error("memfd");
        void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
        if (memory == MAP_FAILED)
            throw std::runtime_error("mmap");
        base_ = static_cast<std::byte*>(memory);
        length_ = length;
        set_producer(start);
        position(0) = start;
    }
    SyntheticRing(SyntheticRing&& other) noexcept
        : page_(other.page_), size_(other.size_), length_(other.length_),
          base_(std::exchange(other.base_, nullptr)), fd_(std::move(other.fd_)) {}
    ~SyntheticRing() {
        if (base_)
            munmap(base_, length_);
    }

    const os::UniqueFd& fd() const { return fd_; }
    os::UniqueFd duplicate() const { return os::UniqueFd(dup(fd_.get())); }
    std::size_t size() const { return size_; }

    std::uint64_t consumer() { return position(0); }
    std::uint64_t producer() { return position(page_); }
    void set_producer(std::uint64_t value) { position(page_) = value; }
    void set_consumer(std::uint64_t value) { position(0) = value; }

    // Appends a record; returns its position, for finish() and spoil().
    std::uint64_t produce(const Buffer& bytes, std::uint32_t bits = 0) {
        const std::uint64_t at = producer();
        set_header(at, static_cast<std::uint32_t>(bytes.size()) | bits);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            put(at + 8 + i, bytes[i]);
        set_producer(at + ((bytes.size() + 8 + 7) & ~std::uint64_t{7}));
        return at;
    }
    void set_header(std::uint64_t at, std::uint32_t length) {
        const std::uint64_t word = length;
        for (std::size_t i = 0; i < 8; ++i)
            put(at + i, static_cast<std::byte>(word >> (8 * i)));
    }

    void set_page_number(std::uint64_t at, std::uint8_t number) {
        put(at + 4, static_cast<std::byte>(number));
    }

  private:
    std::uint64_t& position(std::size_t offset) {
        return *reinterpret_cast<std::uint64_t*>(base_ + offset);
    }
    void put(std::uint64_t at, std::byte value) { // both copies of the data
        const std::size_t offset = static_cast<std::size_t>(at) & (size_ - 1);
        base_[2 * page_ + offset] = value;
        base_[2 * page_ + size_ + offset] = value;
    }

    std::size_t page_, size_, length_ = 0;
    std::byte* base_ = nullptr;
    os::UniqueFd fd_;
};

} // namespace tiercel::test
