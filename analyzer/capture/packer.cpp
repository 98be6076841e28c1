// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/packer.h"

#include <unistd.h>
#include <zlib.h>

#include <array>

namespace tiercel::capture {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
// The fastest level, because a recorder must keep up with the events. It packs them to about a
// fifth.
constexpr int kLevel = Z_BEST_SPEED;

os::Error failure(int number) {
    return os::error("write", "the capture", number);
}

} // namespace

struct Packer::Deflater {
    z_stream zlib{};
    std::array<std::byte, kBufferSize> output{};
    bool started = false;

    // Fails only if there is no memory.
    Deflater() {
        started = deflateInit2(&zlib, kLevel, Z_DEFLATED, 16 + MAX_WBITS, MAX_MEM_LEVEL,
                               Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~Deflater() {
        if (started)
            deflateEnd(&zlib);
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
};

Packer::Packer(int fd, Packing packing) : fd_(fd) {
    buffer_.reserve(kBufferSize);
    if (packing == Packing::gzip) {
        deflater_ = std::make_unique<Deflater>();
        error_ = deflater_->started ? 0 : ENOMEM;
    }
}
Packer::~Packer() = default;
Packer::Packer(Packer&&) noexcept = default;
Packer& Packer::operator=(Packer&&) noexcept = default;

os::Result<void> Packer::write(std::span<const std::byte> bytes) {
    if (error_ != 0)
        return failure(error_);
    if (buffer_.size() + bytes.size() > kBufferSize)
        if (auto pushed = push(Z_NO_FLUSH); !pushed)
            return pushed;
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
}

os::Result<void> Packer::flush() {
    return push(Z_SYNC_FLUSH);
}

os::Result<void> Packer::finish() {
    return push(Z_FINISH);
}

// Moves the buffer to the file, through zlib if the file is packed.
os::Result<void> Packer::push(int mode) {
    if (error_ != 0)
        return failure(error_);
    auto pushed = deflater_ ? deflate_buffer(mode) : drain(buffer_);
    buffer_.clear();
    return pushed;
}

os::Result<void> Packer::deflate_buffer(int mode) {
    z_stream& zlib = deflater_->zlib;
    zlib.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    zlib.avail_in = static_cast<uInt>(buffer_.size());
    do {
        zlib.next_out = reinterpret_cast<Bytef*>(deflater_->output.data());
        zlib.avail_out = static_cast<uInt>(deflater_->output.size());
        deflate(&zlib, mode); // fails only on wrong use
        const std::size_t size = deflater_->output.size() - zlib.avail_out;
        if (auto drained = drain(std::span(deflater_->output).first(size)); !drained)
            return drained;
    } while (zlib.avail_out == 0);
    return {};
}

os::Result<void> Packer::drain(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            error_ = errno;
            return failure(error_);
        }
        written_ += static_cast<std::uint64_t>(count);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

} // namespace tiercel::capture
