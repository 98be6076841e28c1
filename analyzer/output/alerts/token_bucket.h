// SPDX-License-Identifier: Apache-2.0
//
// TokenBucket: permits `rate` actions per second on average, and `burst` at once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tiercel::alerts {

class TokenBucket {
  public:
    TokenBucket(double rate, std::uint64_t burst)
        : rate_(rate), most_(static_cast<double>(burst)), tokens_(most_) {}

    // Returns whether an action is permitted at `now_ns`. A time before the last one counts as the
    // last one.
    bool take(std::uint64_t now_ns) {
        now_ns = std::max(now_ns, last_ns_);
        if (last_ns_ != 0)
            tokens_ =
                std::min(most_, tokens_ + static_cast<double>(now_ns - last_ns_) / 1e9 * rate_);
        last_ns_ = now_ns;
        if (tokens_ < 1)
            return false;
        tokens_ -= 1;
        return true;
    }

  private:
    double rate_, most_, tokens_;
    std::uint64_t last_ns_ = 0;
};

} // namespace tiercel::alerts
