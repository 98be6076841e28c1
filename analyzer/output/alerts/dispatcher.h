// SPDX-License-Identifier: Apache-2.0
//
// Dispatcher: gives each alert to every output.
//
//     auto sinks = open_sinks(settings);
//     Dispatcher dispatcher(style, capacity);
//     for (auto& sink : *sinks)                    // while the sandbox is entered
//         dispatcher.add(std::move(sink));
//     dispatcher.send(alert);                      // never blocks
//     dispatcher.reopen();                         // on SIGHUP
//     dispatcher.drain(std::chrono::seconds(2));   // at the end
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/config/settings.h"
#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/alerts/kept_lines.h"
#include "analyzer/output/alerts/outbox.h"

namespace tiercel::alerts {

class Dispatcher {
  public:
    Dispatcher(Style style, std::size_t queue_capacity);

    // Keeps each alert until it is written, in a memory that the next process gets. `progress`
    // names the event of an alert, and must outlive this object. Call before the first add().
    void keep_lines(os::Mapping memory, const ring::Progress& progress);
    // Starts the thread that writes to the sink, first of all what an earlier process has left.
    void add(std::unique_ptr<Sink> sink);
    void send(const Alert& alert);
    // Sends an alert about the analyzer itself, with the source "internal" and the rule name
    // "Tiercel internal: WHAT".
    void warn(const std::string& what, const std::string& message,
              std::vector<std::pair<std::string, FieldValue>> fields = {});
    // Tells the outputs the sum of the rules that are in force, also those that are added later.
    void set_rules(const wire::courier::Sha256& sum);
    // Opens the alert file again.
    void reopen();
    // Waits until every line is written; what is not stays kept. Returns false if `deadline` has
    // passed before.
    bool drain(std::chrono::milliseconds deadline);

    struct Output {
        std::string name;
        Outbox::Counters counters;
        std::vector<wire::courier::State> destinations; // of the courier
    };
    std::vector<Output> outputs() const;
    const Style& style() const { return style_; }

  private:
    Style style_;
    Style json_style_; // for outputs that want JSON in any case
    std::size_t capacity_;
    std::optional<wire::courier::Sha256> rules_;
    std::optional<KeptLines> kept_;
    const ring::Progress* progress_ = nullptr; // with kept_
    std::vector<std::unique_ptr<Outbox>> outboxes_;
};

// Returns the form of alerts that the settings ask for. Without the key `hostname`, the hostname is
// the machine's own.
Style style_of(const config::Settings& settings);

} // namespace tiercel::alerts
