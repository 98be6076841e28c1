// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/recorder.h"

namespace tiercel::capture {

bool Recorder::is_full(std::uint64_t ts) const {
    return (limits_.bytes != 0 && writer_->size() >= limits_.bytes) ||
           (limits_.ns != 0 && ts >= begun_ns_ + limits_.ns);
}

os::Result<void> Recorder::begin_file(std::uint64_t ts, state::StateTracker& state) {
    if (writer_)
        if (auto finished = writer_->finish(); !finished)
            return finished;
    auto file = files_.next({});
    if (!file)
        return file.error();
    writer_.emplace(file->fd.get(), files_.packing());
    begun_ns_ = ts;
    state.settle();
    return writer_->begin(machine_, state);
}

os::Result<void> Recorder::take(const event::EventView& event, std::uint16_t cpu,
                                state::StateTracker& state) {
    if (!writer_ || is_full(event.ts()))
        if (auto begun = begin_file(event.ts(), state); !begun)
            return begun;
    return writer_->add(event, cpu);
}

os::Result<void> Recorder::flush() {
    return writer_ ? writer_->flush() : os::Result<void>();
}

os::Result<void> Recorder::finish(state::StateTracker& state) {
    if (!writer_)
        if (auto begun = begin_file(0, state); !begun)
            return begun;
    return writer_->finish();
}

} // namespace tiercel::capture
