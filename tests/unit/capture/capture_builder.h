// SPDX-License-Identifier: Apache-2.0
//
// CaptureBuilder: capture files in memory, as old and as new as a test wants them.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "analyzer/capture/blocks.h"
#include "shared/os/unique_fd.h"
#include "tests/unit/state/event_builder.h"

namespace tiercel::test {

class CaptureBuilder {
  public:
    CaptureBuilder() {
        std::string header;
        append(header, capture::kByteOrderMagic);
        append(header, std::uint16_t{1});
        append(header, std::uint16_t{2});
        append(header, UINT64_MAX);
        block(capture::SECTION_HEADER, header);
    }
    CaptureBuilder& block(std::uint32_t type, std::string content) {
        content.resize((content.size() + 3) / 4 * 4);
        const auto length = static_cast<std::uint32_t>(content.size() + 12);
        append(bytes_, type);
        append(bytes_, length);
        bytes_ += content;
        append(bytes_, length);
        return *this;
    }
    CaptureBuilder& event(EventBuilder& event, std::uint16_t cpu = 0) {
        event.short_view();
        return block(capture::EVENTS_V2, with_cpu(cpu) + text(event.short_view()));
    }
    // Without the number of parameters, as before 2022.
    CaptureBuilder& old_event(EventBuilder& event) {
        std::string raw = text(event.short_view());
        raw.erase(sizeof(event::Header) - 4, 4);
        const auto length = static_cast<std::uint32_t>(raw.size());
        std::memcpy(raw.data() + offsetof(event::Header, len), &length, sizeof length);
        return block(capture::EVENTS, with_cpu(0) + raw);
    }
    const std::string& bytes() const { return bytes_; }

    template <typename T>
    static void append(std::string& out, T value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    static void append_text(std::string& out, std::string_view text) {
        append(out, static_cast<std::uint16_t>(text.size()));
        out += text;
    }

  private:
    static std::string with_cpu(std::uint16_t cpu) {
        std::string out;
        append(out, cpu);
        return out;
    }
    static std::string text(const event::EventView& view) {
        return {reinterpret_cast<const char*>(view.bytes().data()), view.bytes().size()};
    }
    std::string bytes_;
};

// A file of that content, read from its beginning.
inline os::UniqueFd file_of(std::string_view content) {
    os::UniqueFd fd(memfd_create("capture", MFD_CLOEXEC));
    while (!content.empty()) {
        const ssize_t count = write(fd.get(), content.data(), content.size());
        if (count <= 0)
            break;
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

} // namespace tiercel::test
