// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/kept_lines.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <span>

namespace tiercel::alerts {

struct KeptLines::Slot {
    std::uint32_t used; // 0: the slot is free
    std::uint32_t length;
    std::uint32_t priority;
    std::uint32_t output;         // the hash of its name
    std::uint64_t sequence;       // lines are written in this order
    std::uint64_t ring, position; // of the event
    std::uint64_t time_ns;        // of the alert
    std::uint32_t rule_length;    // the rule's name follows the text
    std::uint32_t reserved;
    char text[kLongest + 8];
};

struct KeptLines::Shared {
    os::Mapping memory;
    std::atomic<bool> frozen = false;

    std::span<Slot> slots() const {
        return {reinterpret_cast<Slot*>(memory.data()), memory.size() / sizeof(Slot)};
    }
};

namespace {

std::uint32_t hash(std::string_view name) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(name));
}

} // namespace

KeptLines::KeptLines(os::Mapping memory) : shared_(std::make_shared<Shared>()) {
    static_assert(sizeof(Slot) == 8 << 10);
    shared_->memory = std::move(memory);
}

// Slots that were used are used again, so that the memory stays small.
KeptLines::Slot* KeptLines::find_room() {
    for (Slot& slot : shared_->slots())
        if (__atomic_load_n(&slot.used, __ATOMIC_ACQUIRE) == 0)
            return &slot;
    return nullptr;
}

// Returns the slot's line. The slot is free again when the line is destroyed.
Outbox::LinePointer KeptLines::hold(Slot& slot) {
    const auto release = [shared = shared_, slot = &slot](const Line* line) {
        if (!shared->frozen)
            __atomic_store_n(&slot->used, 0U, __ATOMIC_RELEASE);
        delete line;
    };
    const std::string_view all(slot.text, slot.length + slot.rule_length);
    return {new Line{std::string(all.substr(0, slot.length)),
                     static_cast<config::Priority>(slot.priority),
                     std::string(all.substr(slot.length)), slot.time_ns},
            release};
}

Outbox::LinePointer KeptLines::keep(const Outbox::LinePointer& line, std::string_view output,
                                    ring::Progress::Place place) {
    const std::size_t bytes = line->text.size() + line->rule.size();
    Slot* slot = bytes <= kLongest ? find_room() : nullptr;
    if (slot == nullptr)
        return line;
    slot->length = static_cast<std::uint32_t>(line->text.size());
    slot->rule_length = static_cast<std::uint32_t>(line->rule.size());
    slot->time_ns = line->time_ns;
    slot->priority = static_cast<std::uint32_t>(line->priority);
    slot->output = hash(output);
    slot->sequence = ++sequence_;
    slot->ring = place.ring;
    slot->position = place.position;
    std::memcpy(slot->text, line->text.data(), line->text.size());
    std::memcpy(slot->text + slot->length, line->rule.data(), line->rule.size());
    __atomic_store_n(&slot->used, 1U, __ATOMIC_RELEASE);
    return hold(*slot);
}

std::vector<Outbox::LinePointer> KeptLines::left(std::string_view output,
                                                 ring::Progress::Place again) {
    std::vector<Slot*> found;
    for (Slot& slot : shared_->slots()) {
        if (slot.used == 0 || slot.output != hash(output))
            continue;
        const bool good = slot.length <= kLongest && slot.rule_length <= kLongest - slot.length &&
                          slot.priority <= static_cast<std::uint32_t>(config::Priority::debug) &&
                          !(again && again == ring::Progress::Place{slot.ring, slot.position});
        if (good)
            found.push_back(&slot);
        else
            slot.used = 0;
    }
    std::ranges::sort(found, {}, &Slot::sequence);
    std::vector<Outbox::LinePointer> lines;
    for (Slot* slot : found)
        lines.push_back(hold(*slot));
    if (!found.empty())
        sequence_ = std::max(sequence_, found.back()->sequence);
    return lines;
}

void KeptLines::freeze() {
    shared_->frozen = true;
}

} // namespace tiercel::alerts
