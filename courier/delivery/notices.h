// SPDX-License-Identifier: Apache-2.0
//
// Notices: what the courier has to say about itself. The threads of the destinations add notices;
// the main thread makes alerts of them, which take the way of all others.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tiercel::courier {

struct Notice {
    std::string what; // becomes the rule name "Tiercel internal: WHAT"
    std::string message;
    std::string destination{};
    std::uint64_t dropped = 0; // 0: the notice is about something else
    bool good = false;         // good news, which have a lower priority
    std::vector<std::pair<std::string, std::string>> tags{}; // further fields of the alert
};

class Notices {
  public:
    void add(Notice notice) {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() < kMost)
            waiting_.push_back(std::move(notice));
    }
    std::vector<Notice> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(waiting_, {});
    }

  private:
    static constexpr std::size_t kMost = 100;
    std::mutex mutex_;
    std::vector<Notice> waiting_;
};

} // namespace tiercel::courier
