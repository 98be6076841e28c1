// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/alert_capture.h"

#include <algorithm>
#include <utility>

namespace tiercel::capture {

// Reuses the memory of the older segment for the new one. Drops the previous segment too if it
// ended more than before_ns_ ago, because on a quiet machine the next event may come late.
void AlertCapture::begin_segment(std::uint64_t ts, state::StateTracker& state) {
    std::swap(older_, younger_);
    if (older_.ended_ns + before_ns_ < ts) {
        older_.head.clear();
        older_.events.clear();
    }
    younger_.head.clear();
    younger_.events.clear();
    younger_.begun_ns = ts;
    state.settle();
    append_head(younger_.head, machine_, state);
}

os::Result<void> AlertCapture::take(const event::EventView& event, std::uint16_t cpu,
                                    state::StateTracker& state) {
    now_ns_ = event.ts();
    if (younger_.head.empty() || now_ns_ >= younger_.begun_ns + before_ns_ ||
        younger_.events.size() >= kSegmentBytes)
        begin_segment(now_ns_, state);
    append_event(younger_.events, event, cpu);
    younger_.ended_ns = now_ns_;
    if (!writer_)
        return {};
    if (now_ns_ > until_ns_ || writer_->size() > kMostBytes)
        return finish();
    return writer_->add(event, cpu);
}

os::Result<std::string_view> AlertCapture::trigger(std::uint64_t after_ns, std::string_view name) {
    until_ns_ = std::max(until_ns_, now_ns_ + after_ns);
    if (writer_)
        return std::string_view();
    auto file = files_.next(name);
    if (!file)
        return file.error();
    writer_.emplace(file->fd.get(), files_.packing());
    file_ = file->name;
    using Blocks = std::span<const std::byte>;
    const Blocks head = older_.head.empty() ? younger_.head : older_.head;
    for (const Blocks blocks : {head, Blocks(older_.events), Blocks(younger_.events)})
        if (auto added = writer_->add_blocks(blocks); !added)
            return added.error();
    return file_;
}

os::Result<void> AlertCapture::finish() {
    if (!writer_)
        return {};
    auto finished = writer_->finish();
    writer_.reset();
    until_ns_ = 0;
    return finished;
}

} // namespace tiercel::capture
