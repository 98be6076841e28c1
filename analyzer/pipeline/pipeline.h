// SPDX-License-Identifier: Apache-2.0
//
// Pipeline: the way of one event from a source to the observers: the state learns from the event,
// the rules are matched on it, and the observers are called. Live events and captures go the same
// way.
//
//     Pipeline pipeline(fields);
//     pipeline.set_rules(rules, rules::Matching::first);          // if there are rules
//     pipeline.on_event([&](const Pipeline::Event& e) { show(e.view, e.cpu); });
//     pipeline.on_match([&](const Pipeline::Event& e) { alert(e.matched, e.fields); });
//     pipeline.take(view, cpu);                                   // for each event
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "analyzer/fields/fields.h"
#include "analyzer/fields/result.h"
#include "analyzer/pipeline/container_wait.h"
#include "analyzer/rules/rule_engine.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::app {

class Pipeline {
  public:
    // An event and everything known about it. It is valid during the call of an observer.
    struct Event {
        const event::EventView& view;
        std::uint64_t number; // evt.num, from 1
        std::uint16_t cpu;
        const state::StateTracker& state; // its current() is about this event
        filter::EventFields& fields;
        std::span<const filter::RuleId> matched; // into rules()->rules().rules
    };
    using Observer = std::function<void(const Event&)>;
    using Arrival = std::function<void(const event::EventView&, std::uint16_t cpu)>;

    // `fields` must outlive this object, and know every field that rules and observers ask for.
    explicit Pipeline(const filter::Fields& fields)
        : values_(fields, state_), wait_(state_, fields) {}
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    void set_rules(std::shared_ptr<const rules::RuleSet> rules, rules::Matching matching) {
        rules_.emplace(std::move(rules), matching);
    }
    // The value of evt.hostname. The text must outlive this object; it may change until the first
    // event.
    void set_hostname(const char* hostname) { values_.set_hostname(hostname); }
    // Leaves out the events of calls that failed, as if the driver had not sent them.
    void set_drop_failed(bool on) { drop_failed_ = on; }
    // Observers are called in the order in which they were added, those of matches after the
    // others.
    void on_event(Observer observer) { on_event_.push_back(std::move(observer)); }
    void on_match(Observer observer) { on_match_.push_back(std::move(observer)); }
    // Called before the state learns from the event.
    void on_arrival(Arrival arrival) { on_arrival_.push_back(std::move(arrival)); }

    // Takes one event; events come in the order of their times. Processes it, unless it waits for a
    // container's runtime. `cpu` may have the bit event::kCpuUring. Returns false after stop().
    bool take(const event::EventView& view, std::uint16_t cpu) {
        if (drop_failed_ && filter::is_dropped_as_failed(view))
            return !stopped_;
        if (wait_.hold(view, cpu))
            return !stopped_;
        return process(view, cpu);
    }
    // Processes the events that need not wait any longer at `now_ns` (CLOCK_MONOTONIC).
    void release(std::uint64_t now_ns) {
        wait_.release(now_ns, [this](const event::EventView& view, std::uint16_t cpu) {
            if (!stopped_)
                process(view, cpu);
        });
    }
    // Makes the present event the last one. Observers may call it.
    void stop() { stopped_ = true; }
    bool stopped() const { return stopped_; }

    state::StateTracker& state() { return state_; }
    const state::StateTracker& state() const { return state_; }
    // Returns nullptr if there are no rules.
    const rules::RuleEngine* rules() const { return rules_ ? &*rules_ : nullptr; }
    std::uint64_t events() const { return events_; }

  private:
    bool process(const event::EventView& view, std::uint16_t cpu) {
        for (const Arrival& arrival : on_arrival_)
            arrival(view, cpu);
        // A record of a file that the next event is about. It is no event of its own.
        if (view.info().origin == event::Origin::ITER) {
            state_.apply(view, cpu);
            return !stopped_;
        }
        ++events_;
        values_.set(view, events_, cpu, state_.apply(view, cpu));
        const auto number = static_cast<std::uint16_t>(cpu & ~event::kCpuUring);
        Event event{view, events_, number, state_, values_, {}};
        if (rules_)
            event.matched = rules_->match(view, values_);
        for (const Observer& observer : on_event_)
            observer(event);
        if (!event.matched.empty())
            for (const Observer& observer : on_match_)
                observer(event);
        return !stopped_;
    }

    state::StateTracker state_;
    filter::EventFields values_;
    ContainerWait wait_;
    std::optional<rules::RuleEngine> rules_;
    std::vector<Arrival> on_arrival_;
    std::vector<Observer> on_event_, on_match_;
    std::uint64_t events_ = 0;
    bool drop_failed_ = false;
    bool stopped_ = false;
};

} // namespace tiercel::app
