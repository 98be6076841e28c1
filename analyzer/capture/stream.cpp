// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <zlib.h>

namespace tiercel::capture {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;
constexpr unsigned char kGzipMagic[2] = {0x1f, 0x8b};

} // namespace

struct Stream::Inflater {
    std::array<std::byte, kBufferSize> input;
    std::size_t input_begin = 0, input_end = 0;
    std::array<std::byte, kBufferSize> output; // unpacked; unused for plain captures
    std::size_t output_begin = 0, output_end = 0;
    z_stream zlib{};
    bool started = false;
    bool packed = false;
    bool ended = false;

    ~Inflater() {
        if (packed)
            inflateEnd(&zlib);
    }
};

Stream::Stream(os::UniqueFd fd) : fd_(std::move(fd)), state_(std::make_unique<Inflater>()) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

// Reads more input behind what there is; false at the end.
bool Stream::read_more() {
    Inflater& s = *state_;
    if (s.input_begin > 0) {
        std::memmove(s.input.data(), s.input.data() + s.input_begin, s.input_end - s.input_begin);
        s.input_end -= s.input_begin;
        s.input_begin = 0;
    }
    ssize_t count;
    do
        count = ::read(fd_.get(), s.input.data() + s.input_end, s.input.size() - s.input_end);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        error_ = "cannot be read";
    if (count <= 0)
        return false;
    s.input_end += static_cast<std::size_t>(count);
    return true;
}

// Looks at the first bytes, to tell packed captures from plain ones.
void Stream::start() {
    Inflater& s = *state_;
    s.started = true;
    while (s.input_end < sizeof kGzipMagic && read_more()) {
    }
    s.packed = s.input_end >= sizeof kGzipMagic &&
               std::memcmp(s.input.data(), kGzipMagic, sizeof kGzipMagic) == 0;
    if (s.packed && inflateInit2(&s.zlib, 16 + MAX_WBITS) != Z_OK) {
        s.packed = false;
        error_ = "cannot be unpacked";
    }
}

// Makes at least one unpacked byte available; false at the end of the data and on errors.
bool Stream::unpack() {
    Inflater& s = *state_;
    while (!s.ended) {
        if (s.input_begin == s.input_end && !read_more()) {
            s.ended = true;
            if (error_ == nullptr)
                error_ = "ends in the middle of its compressed data";
            return false;
        }
        s.zlib.next_in = reinterpret_cast<Bytef*>(s.input.data() + s.input_begin);
        s.zlib.avail_in = static_cast<uInt>(s.input_end - s.input_begin);
        s.zlib.next_out = reinterpret_cast<Bytef*>(s.output.data());
        s.zlib.avail_out = static_cast<uInt>(s.output.size());
        const int result = inflate(&s.zlib, Z_NO_FLUSH);
        s.input_begin = s.input_end - s.zlib.avail_in;
        s.output_begin = 0;
        s.output_end = s.output.size() - s.zlib.avail_out;
        if (result == Z_STREAM_END) {
            // Another member may follow, as `cat a.gz b.gz` and interrupted writers make it.
            if (s.input_begin == s.input_end)
                read_more();
            s.ended = s.input_begin == s.input_end || inflateReset(&s.zlib) != Z_OK;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            s.ended = true;
            error_ = "has damaged compressed data";
        }
        if (s.output_end > 0)
            return true;
    }
    return false;
}

std::size_t Stream::read(std::span<std::byte> out) {
    Inflater& s = *state_;
    if (!s.started)
        start();
    std::size_t done = 0;
    while (done < out.size()) {
        std::size_t& begin = s.packed ? s.output_begin : s.input_begin;
        if (begin == (s.packed ? s.output_end : s.input_end)) {
            if (error_ != nullptr || !(s.packed ? unpack() : read_more()))
                break;
            continue;
        }
        const std::size_t end = s.packed ? s.output_end : s.input_end;
        const std::size_t count = std::min(out.size() - done, end - begin);
        const std::byte* from = s.packed ? s.output.data() : s.input.data();
        std::memcpy(out.data() + done, from + begin, count);
        begin += count;
        done += count;
    }
    offset_ += done;
    return done;
}

bool Stream::skip(std::uint64_t bytes) {
    std::array<std::byte, 4096> scrap;
    while (bytes > 0) {
        const std::size_t step =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes, scrap.size()));
        if (read({scrap.data(), step}) != step)
            return false;
        bytes -= step;
    }
    return true;
}

} // namespace tiercel::capture
