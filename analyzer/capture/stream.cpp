// SPDX-License-Identifier: Apache-2.0
//
// Implements Stream: input through epoll and read, and unpacking through zlib.
#include "analyzer/capture/stream.h"

#include <sys/epoll.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tiercel::capture {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
// Real captures shrink 5 to 30 times. A file that shrinks more would cost time out of proportion.
constexpr std::uint64_t kMostRatio = 100;
constexpr std::uint64_t kAlwaysUnpacked = 64u << 20; // bytes
constexpr unsigned char kGzipMagic[2] = {0x1f, 0x8b};

// An epoll set of `fd` alone. Invalid for files, which epoll refuses because they are always ready.
os::UniqueFd watch(const os::UniqueFd& fd) {
    os::UniqueFd set(epoll_create1(EPOLL_CLOEXEC));
    epoll_event readable{.events = EPOLLIN, .data = {}};
    if (set.valid() && epoll_ctl(set.get(), EPOLL_CTL_ADD, fd.get(), &readable) != 0)
        set.reset();
    return set;
}

} // namespace

struct Stream::Inflater {
    std::array<std::byte, kBufferSize> input{};
    std::size_t input_begin = 0, input_end = 0;
    std::array<std::byte, kBufferSize> output{}; // unpacked; unused for plain captures
    std::size_t output_begin = 0, output_end = 0;
    z_stream zlib{};
    std::uint64_t packed_bytes = 0;   // read so far
    std::uint64_t unpacked_bytes = 0; // made of them so far
    bool started = false;
    bool packed = false;
    bool between = false; // one packed member has ended, and another may follow
    bool ended = false;

    ~Inflater() {
        if (packed)
            inflateEnd(&zlib);
    }
};

Stream::Stream(os::UniqueFd fd)
    : fd_(std::move(fd)), ready_(watch(fd_)), state_(std::make_unique<Inflater>()) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

// Appends more input to the buffer. Returns false at the end and while a pipe has no more data.
bool Stream::read_more() {
    Inflater& s = *state_;
    epoll_event event{};
    waiting_ = ready_.valid() && epoll_wait(ready_.get(), &event, 1, 0) == 0;
    if (waiting_)
        return false;
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
    s.packed_bytes += static_cast<std::uint64_t>(count);
    return true;
}

// Finds out from the first bytes whether the capture is packed. Returns false if they have not come
// yet.
bool Stream::start() {
    Inflater& s = *state_;
    while (s.input_end < sizeof kGzipMagic && read_more()) {
    }
    if (waiting_)
        return false;
    s.started = true;
    s.packed = s.input_end >= sizeof kGzipMagic &&
               std::memcmp(s.input.data(), kGzipMagic, sizeof kGzipMagic) == 0;
    if (s.packed && inflateInit2(&s.zlib, 16 + MAX_WBITS) != Z_OK) {
        s.packed = false;
        error_ = "cannot be unpacked";
    }
    return true;
}

// Unpacks at least one byte. Returns false at the end, on errors, and while a pipe has no more
// data.
bool Stream::unpack() {
    Inflater& s = *state_;
    while (!s.ended) {
        if (s.input_begin == s.input_end && !read_more()) {
            s.ended = !waiting_;
            if (s.ended && !s.between && error_ == nullptr)
                error_ = "ends in the middle of its compressed data";
            return false;
        }
        // `cat a.gz b.gz` and interrupted writers make files of several members.
        if (std::exchange(s.between, false) && inflateReset(&s.zlib) != Z_OK) {
            s.ended = true;
            error_ = "cannot be unpacked";
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
        s.unpacked_bytes += s.output_end;
        if (s.unpacked_bytes > kAlwaysUnpacked && s.unpacked_bytes / kMostRatio > s.packed_bytes) {
            s.ended = true;
            s.output_end = 0;
            error_ = "grows more than 100 times when it is unpacked, so it is refused";
            return false;
        }
        if (result == Z_STREAM_END) {
            s.between = true;
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
    waiting_ = false;
    if (!s.started && !start())
        return 0;
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

} // namespace tiercel::capture
