// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/fold.h"

namespace tiercel::alerts {

bool Fold::is_first(const std::string& key, std::uint64_t ns) {
    const auto found = windows_.find(key);
    if (found == windows_.end())
        return true;
    found->second.last_ns = ns;
    ++found->second.count;
    ++folded_;
    return false;
}

const Alert& Fold::keep(const std::string& key, const Alert& alert) {
    if (windows_.size() < kMostKeys) {
        order_.push_back(key);
        windows_[key] = {alert, alert.time_ns, alert.time_ns, 1};
    }
    return alert;
}

void Fold::expire(std::uint64_t ns, const std::function<void(const Alert&)>& send) {
    while (!order_.empty()) {
        const auto found = windows_.find(order_.front());
        if (found->second.first_ns + window_ns_ > ns)
            return;
        if (found->second.count > 1)
            send(summary_of(std::move(found->second)));
        windows_.erase(found);
        order_.pop_front();
    }
}

// The alert is the window's first, with the time of the last match.
Alert Fold::summary_of(Window window) {
    Alert alert = std::move(window.alert);
    alert.time_ns = window.last_ns;
    alert.message +=
        " (" + std::to_string(window.count) + " times since " + iso_time(window.first_ns) + ')';
    alert.fields.emplace_back("count", window.count);
    alert.fields.emplace_back("first_time", iso_time(window.first_ns));
    alert.fields.emplace_back("last_time", iso_time(window.last_ns));
    return alert;
}

} // namespace tiercel::alerts
