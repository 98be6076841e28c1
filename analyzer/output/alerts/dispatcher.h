// SPDX-License-Identifier: Apache-2.0
//
// Dispatcher: takes each alert once and hands it to every output.
//
//     auto sinks = open_sinks(settings);
//     Dispatcher dispatcher(style, capacity);
//     … enter the sandbox, and on the way: for (auto& sink : *sinks)
//     dispatcher.add(std::move(sink)); dispatcher.send(alert);        // never blocks on SIGHUP:
//     dispatcher.reopen(); at the end: dispatcher.drain(std::chrono::seconds(2));
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/config/settings.h"
#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/alerts/outbox.h"

namespace tiercel::alerts {

class Dispatcher {
  public:
    Dispatcher(Style style, std::size_t queue_capacity);

    // Starts the thread that writes to it.
    void add(std::unique_ptr<Sink> sink);
    void send(const Alert& alert);
    // Something about ourselves: source "internal", the rule's name "Tiercel internal: WHAT".
    void warn(const std::string& what, const std::string& message,
              std::vector<std::pair<std::string, FieldValue>> fields = {});
    void reopen();
    bool drain(std::chrono::milliseconds deadline);

    struct Output {
        std::string name;
        Outbox::Counters counters;
    };
    std::vector<Output> outputs() const;
    const Style& style() const { return style_; }

  private:
    Style style_;
    std::size_t capacity_;
    std::vector<std::unique_ptr<Outbox>> outboxes_;
};

// What the settings say about shape and outputs. The hostname is the machine's where they name
// none.
Style style_of(const config::Settings& settings);
// Opens the outputs that are enabled. The first that cannot be opened is the error.
os::Result<std::vector<std::unique_ptr<Sink>>> open_sinks(const config::Settings& settings);

} // namespace tiercel::alerts
