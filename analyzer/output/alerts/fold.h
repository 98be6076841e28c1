// SPDX-License-Identifier: Apache-2.0
//
// Fold: of many alerts with the same key within a window of time, the first goes out at once, and
// one more at the end of the window, with the number of all.
//
//     if (fold.is_first(key, event_ns))
//         dispatcher.send(fold.keep(key, alert));
//     fold.expire(now_ns, [&](const Alert& alert) { dispatcher.send(alert); });
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "analyzer/output/alerts/alert.h"

namespace tiercel::alerts {

class Fold {
  public:
    explicit Fold(std::uint64_t window_ns) : window_ns_(window_ns) {}

    // Counts a match at the time `ns`. Returns false if it is folded into an alert before it. At
    // most kMostKeys keys are remembered; what comes with a further one is not folded.
    bool is_first(const std::string& key, std::uint64_t ns);
    // Remembers the alert of the key that is_first() has returned true for.
    const Alert& keep(const std::string& key, const Alert& alert);
    // Ends the windows that are over at `ns`. Calls `send` with an alert for each that has folded
    // any.
    void expire(std::uint64_t ns, const std::function<void(const Alert&)>& send);
    std::uint64_t folded() const { return folded_; }

  private:
    static constexpr std::size_t kMostKeys = 10'000;

    struct Window {
        Alert alert;
        std::uint64_t first_ns = 0;
        std::uint64_t last_ns = 0;
        std::uint64_t count = 0;
    };
    static Alert summary_of(Window window);

    std::uint64_t window_ns_;
    std::unordered_map<std::string, Window> windows_;
    std::deque<std::string> order_; // the keys, by the time of their first match
    std::uint64_t folded_ = 0;
};

} // namespace tiercel::alerts
