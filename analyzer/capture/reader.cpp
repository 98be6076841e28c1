// SPDX-License-Identifier: Apache-2.0
//
// Implements Reader: the framing of blocks, the choice of the list reader, and the parsing of
// events.
#include "analyzer/capture/reader.h"

#include <algorithm>
#include <cstring>

#include "analyzer/capture/blocks.h"
#include "analyzer/capture/generic.h"
#include "analyzer/capture/own_params.h"

namespace tiercel::capture {
namespace {

constexpr std::uint32_t kFrame = 12;                    // header and trailer of a block
constexpr std::uint32_t kMaxList = 128u * 1024 * 1024;  // a process list of a very large host
constexpr std::uint32_t kMaxEvent = 64u * 1024 * 1024;  // large payloads come from plugins
constexpr std::size_t kKeptBody = std::size_t{1} << 20; // stays allocated between blocks
constexpr std::size_t kReadStep = std::size_t{64} * 1024;

bool is_event_block(std::uint32_t type) {
    switch (type) {
    case EVENTS:
    case EVENTS_FLAGS:
    case EVENTS_V2:
    case EVENTS_FLAGS_V2:
    case EVENTS_V2_LARGE:
    case EVENTS_FLAGS_V2_LARGE: return true;
    default: return false;
    }
}
bool has_flags(std::uint32_t type) {
    return type == EVENTS_FLAGS || type == EVENTS_FLAGS_V2 || type == EVENTS_FLAGS_V2_LARGE;
}
bool lacks_param_count(std::uint32_t type) {
    return type == EVENTS || type == EVENTS_FLAGS;
}

} // namespace

void Reader::fail(const std::string& what) {
    ended_ = true;
    const char* cause = stream_.error();
    error_ = "the capture " + (cause != nullptr ? std::string(cause) : what) + " at byte " +
             std::to_string(block_offset_);
}

bool Reader::read_header() {
    const auto bytes = std::as_writable_bytes(std::span(header_));
    if (header_read_ == 0) {
        block_offset_ = stream_.offset();
        body_.clear();
        if (body_.capacity() > kKeptBody)
            std::vector<std::byte>().swap(body_);
    }
    header_read_ += stream_.read(bytes.subspan(header_read_));
    if (header_read_ == bytes.size())
        return accept_header();
    if (stream_.waiting())
        return false;
    if (header_read_ == 0 && stream_.error() == nullptr) {
        ended_ = true;
        if (!section_seen_)
            fail("is empty");
    } else {
        fail("ends in the middle of a block that starts");
    }
    return false;
}

bool Reader::accept_header() {
    type_ = released_type(header_[0]);
    const std::uint32_t length = header_[1];
    if (!section_seen_ && type_ != SECTION_HEADER) {
        fail("does not begin as captures do,");
        return false;
    }
    const std::uint32_t limit = is_event_block(type_) ? kMaxEvent : kMaxList;
    if (length < kFrame || length > limit) {
        fail("has a block of an impossible length (" + std::to_string(length) + " bytes)");
        return false;
    }
    return true;
}

// Grows the buffer as data comes, so that a wrong length costs no more memory than there is data.
bool Reader::read_body(std::uint32_t size) {
    while (body_.size() < size) {
        const std::size_t at = body_.size();
        const std::size_t step = std::min<std::size_t>(kReadStep, size - at);
        body_.resize(at + step);
        const std::size_t count = stream_.read({body_.data() + at, step});
        if (count == step)
            continue;
        body_.resize(at + count);
        if (!stream_.waiting())
            fail("ends in the middle of a block that starts");
        return false;
    }
    return true;
}

bool Reader::read_block() {
    if (header_read_ < sizeof header_ && !read_header())
        return false;
    const std::uint32_t length = header_[1];
    std::uint32_t trailer = 0;
    if (!read_body(length - kFrame + sizeof trailer))
        return false;
    header_read_ = 0;
    std::memcpy(&trailer, body_.data() + body_.size() - sizeof trailer, sizeof trailer);
    body_.resize(body_.size() - sizeof trailer);
    if (trailer != length) {
        fail("has a block whose two lengths differ (" + std::to_string(length) + " and " +
             std::to_string(trailer) + ")");
        return false;
    }
    return true;
}

bool Reader::take_section() {
    Cursor in(body_);
    const auto magic = in.number<std::uint32_t>();
    const auto major = in.number<std::uint16_t>();
    if (!in.good() || magic != kByteOrderMagic) {
        fail("was written by a machine of the other byte order, or is none,");
        return false;
    }
    if (major > kMajorVersion) {
        fail("is of format version " + std::to_string(major) +
             ", which is newer than this reader,");
        return false;
    }
    section_seen_ = true;
    return true;
}

bool Reader::take_list() {
    bool good = true;
    switch (type_) {
    case SECTION_HEADER: return take_section();
    case MACHINE_INFO:
        good = read_machine_info(body_, machine_);
        state_.set_boot_time(machine_.boot_ns);
        break;
    case FD_LIST:
    case FD_LIST_V2: good = read_fd_list(type_, body_, state_); break;
    case INTERFACE_LIST:
    case INTERFACE_LIST_V2:
        machine_.interfaces.clear();
        good = read_interface_list(type_, body_, machine_.interfaces);
        break;
    case USER_LIST:
    case USER_LIST_V2: good = read_user_list(type_, body_, state_); break;
    case PROCESS_LIST_V1:
    case PROCESS_LIST_V2:
    case PROCESS_LIST_V3:
    case PROCESS_LIST_V4:
    case PROCESS_LIST_V5:
    case PROCESS_LIST_V6:
    case PROCESS_LIST_V7:
    case PROCESS_LIST_V8:
    case PROCESS_LIST_V9:
        good = read_process_list(type_, body_, state_);
        linked_ = false;
        break;
    default: break; // ignores the lists that later versions add
    }
    if (!good)
        fail("has a damaged list");
    return good;
}

// Old blocks lack the number of parameters. It is the largest number whose lengths add up to the
// size.
bool Reader::count_params(std::size_t at) {
    event::Header header{};
    constexpr std::size_t kOldHeader = sizeof header - sizeof header.nparams;
    std::memcpy(&header, body_.data() + at, kOldHeader);
    const event::EventInfo* info = event::find(header.type);
    if (info == nullptr || header.len < kOldHeader || at + header.len > body_.size())
        return false;
    const std::byte* lengths = body_.data() + at + kOldHeader;
    const std::size_t size = header.len - kOldHeader;
    for (std::size_t count = info->schema_params();; --count) {
        std::size_t total = count * sizeof(std::uint16_t);
        for (std::size_t i = 0; total <= size && i < count; ++i) {
            std::uint16_t length;
            std::memcpy(&length, lengths + i * sizeof length, sizeof length);
            total += length;
        }
        if (total == size) {
            header.nparams = static_cast<std::uint32_t>(count);
            break;
        }
        if (count == 0)
            return false;
    }
    header.len += static_cast<std::uint32_t>(sizeof header.nparams);
    body_.insert(body_.begin() + static_cast<std::ptrdiff_t>(at + kOldHeader),
                 sizeof header.nparams, std::byte{});
    std::memcpy(body_.data() + at, &header, sizeof header);
    return true;
}

// The event of the block; nothing if its code is unknown or it is damaged.
std::optional<event::EventView> Reader::parse_event() {
    const std::size_t at = sizeof cpu_ + (has_flags(type_) ? sizeof(std::uint32_t) : 0);
    if (body_.size() < at + sizeof(event::Header) - sizeof(std::uint32_t)) {
        fail("has an event without a header");
        return std::nullopt;
    }
    std::memcpy(&cpu_, body_.data(), sizeof cpu_);
    std::uint32_t flags = 0;
    if (has_flags(type_))
        std::memcpy(&flags, body_.data() + sizeof cpu_, sizeof flags);
    cpu_ = static_cast<std::uint16_t>(cpu_ & ~event::kCpuUring);
    if ((flags & kFlagUring) != 0)
        cpu_ |= event::kCpuUring;
    std::uint16_t code;
    std::memcpy(&code, body_.data() + at + offsetof(event::Header, type), sizeof code);
    if (event::find(code) == nullptr) {
        ++skipped_;
        return std::nullopt;
    }
    if (lacks_param_count(type_) && !count_params(at)) {
        fail("has a damaged event");
        return std::nullopt;
    }
    join_split(body_, at);
    if (code == event::GENERIC_X)
        restore_new_id(std::span(body_).subspan(at));
    auto view = event::EventView::parse(event::Bytes(body_).subspan(at));
    if (!view)
        fail("has a damaged event");
    return view;
}

std::optional<CapturedEvent> Reader::next() {
    while (!ended_ && read_block()) {
        if (!is_event_block(type_)) {
            if (!take_list())
                break;
            continue;
        }
        if (!linked_) {
            state_.link();
            linked_ = true;
        }
        auto view = parse_event();
        if (view && !Converter::is_current(*view))
            view = converter_.convert(*view);
        if (view)
            return std::optional<CapturedEvent>(std::in_place, *view, ++count_, cpu_);
    }
    return std::nullopt;
}

} // namespace tiercel::capture
