// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/ring_set.h"

#include <algorithm>
#include <cstring>

#include "kernel/common/abi.h"

namespace tiercel::ring {

void RingSet::begin() {
    fullest_ = 0;
    for (Source& source : rings_)
        source.ring->snapshot();
    for (Source& source : rings_) {
        source.most = std::max(source.most, source.ring->pending());
        fullest_ = std::max(fullest_, source.ring->pending());
        fetch(source);
    }
}

void RingSet::end() {
    for (Source& source : rings_)
        source.ring->release();
}

void RingSet::advance(Source& source) {
    source.ring->pop();
    if (progress_ != nullptr)
        progress_->end(index_of(source), source.ring->record_position());
    // Returns room early, because a producer should not have to wait for the whole batch.
    if (source.ring->unreleased() >= source.ring->size() / 16)
        source.ring->release();
    fetch(source);
}

void RingSet::fetch(Source& source) {
    while (const auto record = source.ring->front()) {
        if (record->size() >= sizeof(event::Header) + sizeof(tiercel_record_trailer)) {
            std::memcpy(&source.ts, record->data(), sizeof source.ts);
            source.ts = std::min(source.ts, kNothing - 1);
            source.record = *record;
            return;
        }
        ++unparsed_;
        source.ring->pop();
    }
    source.ts = kNothing;
}

// The source of the earliest event, or nullptr. `next_ts` becomes the time of the second earliest.
RingSet::Source* RingSet::earliest(std::uint64_t& next_ts) {
    Source* first = nullptr;
    next_ts = kNothing;
    for (Source& source : rings_) {
        if (source.ts == kNothing)
            continue;
        if (first == nullptr || source.ts < first->ts) {
            next_ts = first == nullptr ? kNothing : first->ts;
            first = &source;
        } else {
            next_ts = std::min(next_ts, source.ts);
        }
    }
    return first;
}

std::optional<event::EventView> RingSet::parse(const Source& source, std::uint16_t& cpu) {
    const Bytes event_bytes =
        source.record.first(source.record.size() - sizeof(tiercel_record_trailer));
    auto view = event::EventView::parse(event_bytes);
    if (!view || view->size() != event_bytes.size()) {
        ++unparsed_;
        return std::nullopt;
    }
    static_assert(event::kCpuUring == TIERCEL_CPU_URING);
    tiercel_record_trailer trailer{};
    std::memcpy(&trailer, source.record.data() + view->size(), sizeof trailer);
    cpu = trailer.cpu;
    return view;
}

bool RingSet::resume(const Progress& progress, bool pages) {
    for (const Source& source : rings_)
        if (!source.ring->resume(progress.done(index_of(source)), pages))
            return false;
    return true;
}

Bytes RingSet::skip(Progress::Place place, Progress& progress) {
    if (place.ring >= rings_.size())
        return {};
    Ring& ring = *rings_[place.ring].ring;
    ring.snapshot();
    const auto record = ring.front();
    if (!record || ring.record_position() != place.position)
        return {};
    ring.pop();
    progress.end(place.ring, ring.record_position());
    ++progress.shared().skipped;
    return *record;
}

std::vector<std::uint64_t> RingSet::pass_times() {
    std::vector<std::uint64_t> times;
    for (Source& source : rings_) {
        source.ring->snapshot();
        for (fetch(source); source.ts != kNothing; fetch(source)) {
            times.push_back(source.ts);
            source.ring->pop();
        }
    }
    return times;
}

std::size_t RingSet::waiting() {
    std::size_t most = 0;
    for (const Source& source : rings_) {
        source.ring->snapshot();
        most = std::max(most, source.ring->pending());
    }
    return most;
}

RingSet::PerRing RingSet::of(std::size_t ring) const {
    const Source& source = rings_.at(ring);
    return {source.events,          source.ring->discarded(),     source.ring->lost(),
            source.ring->damaged(), source.ring->damaged_bytes(), source.most};
}

} // namespace tiercel::ring
