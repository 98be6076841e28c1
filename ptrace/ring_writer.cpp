// SPDX-License-Identifier: Apache-2.0
#include "ptrace/ring_writer.h"

#include <unistd.h>

#include <cstring>

#include "kernel/common/abi.h"
#include "ptrace/shared_memory.h"

namespace tiercel::ptrace {

namespace {

constexpr std::uint32_t kDiscard = 1U << 30; // BPF_RINGBUF_DISCARD_BIT
constexpr std::size_t kHeaderBytes = 8;      // u32 length, u32 page offset, which readers ignore

std::size_t page_bytes() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t load(const std::byte* page) {
    return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(page), __ATOMIC_ACQUIRE);
}

} // namespace

RingWriter::RingWriter(os::UniqueFd fd, os::Mapping mapping, std::size_t size)
    : fd_(std::move(fd)), mapping_(std::move(mapping)), data_(mapping_.data() + 2 * page_bytes()),
      size_(size) {}

os::Result<RingWriter> RingWriter::create(std::size_t data_bytes) {
    // Readers map the data twice. The second part is a hole in the memfd and takes no memory.
    auto fd = make_shared_memory("tiercel-ring", 2 * page_bytes() + 2 * data_bytes);
    if (!fd)
        return fd.error();
    auto mapping = os::Mapping::shared(*fd, 2 * page_bytes() + data_bytes, 0,
                                       PROT_READ | PROT_WRITE, "a new ring");
    if (!mapping)
        return mapping.error();
    return RingWriter(std::move(*fd), std::move(*mapping), data_bytes);
}

std::size_t RingWriter::pending() const {
    const std::uint64_t used = position_ - load(mapping_.data());
    return used > size_ ? size_ : static_cast<std::size_t>(used);
}

void RingWriter::put_header(std::uint32_t word) {
    std::byte* header = data_ + (position_ & (size_ - 1));
    const std::uint32_t words[2] = {word, 0};
    std::memcpy(header, words, sizeof words);
}

bool RingWriter::write(std::span<const std::byte> event, std::uint16_t cpu) {
    const tiercel_record_trailer trailer{cpu};
    const std::size_t length = event.size() + sizeof trailer;
    const std::size_t needed = (kHeaderBytes + length + 7) & ~std::size_t{7};
    const std::size_t to_end = size_ - (position_ & (size_ - 1));
    const std::size_t skipped = needed > to_end ? to_end : 0;
    // As in the kernel, the ring is never filled to the last byte.
    if (needed + skipped >= size_ - pending())
        return false;
    if (skipped > 0) {
        put_header(static_cast<std::uint32_t>(skipped - kHeaderBytes) | kDiscard);
        position_ += skipped;
    }
    put_header(static_cast<std::uint32_t>(length));
    std::byte* record = data_ + (position_ & (size_ - 1)) + kHeaderBytes;
    std::memcpy(record, event.data(), event.size());
    std::memcpy(record + event.size(), &trailer, sizeof trailer);
    position_ += needed;
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(mapping_.data() + page_bytes()), position_,
                     __ATOMIC_RELEASE);
    return true;
}

} // namespace tiercel::ptrace
