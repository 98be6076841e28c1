// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/kept_lines.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <span>

namespace tiercel::alerts {

namespace {

constexpr std::uint32_t kFree = 0;
constexpr std::uint32_t kWaiting = 1; // the line is not written yet
constexpr std::uint32_t kEnded = 2;   // the line is written or dropped

} // namespace

struct KeptLines::Slot {
    std::uint32_t use; // kFree, kWaiting or kEnded
    std::uint32_t length;
    std::uint32_t priority;
    std::uint32_t output;           // the hash of its name
    std::uint64_t sequence;         // lines are written in this order
    std::uint64_t ring, position;   // of the event
    std::uint64_t time_ns;          // of the alert
    std::uint32_t rule_length;      // the rule's name follows the text
    std::uint32_t container_length; // and the container's id follows it
    char text[kLongest + 8];

    ring::Progress::Place place() const { return {ring, position}; }
    std::string_view line() const { return {text, length}; }
    std::string_view rule() const { return {text + length, rule_length}; }
    std::string_view container_id() const {
        return {text + length + rule_length, container_length};
    }
    bool is_valid() const {
        return use <= kEnded && length <= kLongest && rule_length <= kLongest - length &&
               container_length <= kLongest - length - rule_length &&
               priority <= static_cast<std::uint32_t>(config::Priority::debug);
    }
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

KeptLines::KeptLines(os::Mapping memory, const ring::Progress& progress)
    : progress_(progress), shared_(std::make_shared<Shared>()) {
    static_assert(sizeof(Slot) == 8 << 10);
    shared_->memory = std::move(memory);
}

void KeptLines::adopt(const os::Mapping& from, const os::Mapping& to) {
    if (from.size() == 0 || from.size() > to.size())
        return;
    const std::span old(reinterpret_cast<const Slot*>(from.data()), from.size() / sizeof(Slot));
    auto* next = reinterpret_cast<Slot*>(to.data());
    for (const Slot& slot : old)
        if (slot.use == kWaiting) {
            *next = slot;
            next->ring = ring::Progress::Place{}.ring; // the position is that of another ring
            ++next;
        }
}

bool KeptLines::is_free(const Slot& slot) const {
    const std::uint32_t use = __atomic_load_n(&slot.use, __ATOMIC_ACQUIRE);
    return use == kFree || (use == kEnded && progress_.is_done(slot.place()));
}

// Slots that were used are used again, so that the memory stays small.
KeptLines::Slot* KeptLines::find_room() {
    for (Slot& slot : shared_->slots())
        if (is_free(slot))
            return &slot;
    return nullptr;
}

// Returns the slot's line. The slot is no longer waiting when the line is destroyed.
Outbox::LinePointer KeptLines::hold(Slot& slot) {
    const auto release = [shared = shared_, slot = &slot](const Line* line) {
        if (!shared->frozen)
            __atomic_store_n(&slot->use, kEnded, __ATOMIC_RELEASE);
        delete line;
    };
    return {new Line{std::string(slot.line()), static_cast<config::Priority>(slot.priority),
                     std::string(slot.rule()), slot.time_ns, std::string(slot.container_id())},
            release};
}

Outbox::LinePointer KeptLines::keep(const Outbox::LinePointer& line, std::string_view output,
                                    ring::Progress::Place place) {
    const std::size_t bytes = line->text.size() + line->rule.size() + line->container_id.size();
    Slot* slot = bytes <= kLongest ? find_room() : nullptr;
    if (slot == nullptr)
        return line;
    // A slot of an ended line would pass for this line's if the process ended before the last
    // store.
    __atomic_store_n(&slot->use, kFree, __ATOMIC_SEQ_CST);
    slot->length = static_cast<std::uint32_t>(line->text.size());
    slot->rule_length = static_cast<std::uint32_t>(line->rule.size());
    slot->container_length = static_cast<std::uint32_t>(line->container_id.size());
    slot->time_ns = line->time_ns;
    slot->priority = static_cast<std::uint32_t>(line->priority);
    slot->output = hash(output);
    slot->sequence = ++sequence_;
    slot->ring = place.ring;
    slot->position = place.position;
    char* end = slot->text;
    for (const std::string* part : {&line->text, &line->rule, &line->container_id})
        end = std::ranges::copy(*part, end).out;
    __atomic_store_n(&slot->use, kWaiting, __ATOMIC_RELEASE);
    return hold(*slot);
}

std::vector<Outbox::LinePointer> KeptLines::left(std::string_view output) {
    std::vector<Slot*> waiting;
    for (Slot& slot : shared_->slots()) {
        if (is_free(slot) || slot.output != hash(output))
            continue;
        if (!slot.is_valid()) {
            slot.use = kFree;
            continue;
        }
        if (!progress_.is_done(slot.place()))
            sent_.push_back({slot.place(), slot.output, std::string(slot.rule())});
        if (slot.use == kWaiting)
            waiting.push_back(&slot);
    }
    std::ranges::sort(waiting, {}, &Slot::sequence);
    std::vector<Outbox::LinePointer> lines;
    for (Slot* slot : waiting)
        lines.push_back(hold(*slot));
    if (!waiting.empty())
        sequence_ = std::max(sequence_, waiting.back()->sequence);
    return lines;
}

bool KeptLines::was_sent(std::string_view rule, std::string_view output,
                         ring::Progress::Place place) const {
    return std::ranges::any_of(sent_, [&](const Sent& sent) {
        return sent.place == place && sent.rule == rule && sent.output == hash(output);
    });
}

void KeptLines::freeze() {
    shared_->frozen = true;
}

} // namespace tiercel::alerts
