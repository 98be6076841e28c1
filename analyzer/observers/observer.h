// SPDX-License-Identifier: Apache-2.0
//
// Observer: a part of a session that looks at events or alerts, or that reports about the session.
// A session has a list of observers (app/session.cpp makes it); no observer knows another.
//
// The calls come in this order: attach(), add_needs(), start(), then any number of on_…(), tick(),
// report(), add_metrics() and reopen(), then end(). The sandbox is entered around start().
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/output/metrics.h"
#include "analyzer/output/writer.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/service/loop.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class Observer {
  public:
    // What the pipeline passes to the observer; a mask.
    enum Wants : unsigned { nothing = 0, every_arrival = 1, every_event = 2, every_match = 4 };

    // The session's parts. They outlive the observer's last call.
    struct Session {
        Pipeline& pipeline;
        Source& source;
        Loop& loop;
    };
    // What the sandbox has to permit for this observer.
    struct Needs {
        std::vector<int> writable; // directories in which files are made again; not owned
        std::vector<int> renaming; // directories in which files get other names; not owned
        bool overwrite = false;    // files that are open are emptied and written again
        bool listens = false;      // accepts connections on a socket that is open
    };
    struct Tick {
        std::uint64_t now_ns; // CLOCK_MONOTONIC
        std::uint64_t lag_ns; // from the last event to the moment when it was taken
    };
    enum class Outcome : std::uint8_t {
        good,
        reader_gone, // the reader of standard output has closed it, which is no failure
        failed,      // something was lost; the observer has printed what
    };

    virtual ~Observer() = default;

    // Opens what the observer needs, and puts the observer on the loop.
    virtual os::Result<void> attach(Session) { return {}; }
    virtual unsigned wants() const { return nothing; }
    virtual void add_needs(Needs&) const {}
    // Starts threads, which is possible only while the sandbox is entered.
    virtual void start() {}

    // An event, before the state learns from it.
    virtual void on_arrival(const event::EventView&, std::uint16_t /*cpu*/) {}
    virtual void on_event(const Pipeline::Event&) {}
    virtual void on_match(const Pipeline::Event&) {}
    // After each batch of events.
    virtual void tick(const Tick&) {}

    // Appends lines to the statistics on standard error; each begins with "analyzer: ".
    virtual void report(output::Buffer&) const {}
    virtual void add_metrics(output::Metrics&) const {}
    // SIGHUP.
    virtual void reopen() {}
    // The rules were replaced; rule ids are those of the new rules.
    virtual void on_rules() {}
    virtual Outcome end() { return Outcome::good; }
};

// Writes the rest of `out`, which is standard output. Prints why it failed, unless its reader has
// closed it.
Observer::Outcome end_output(output::Writer& out);

} // namespace tiercel::app
