// SPDX-License-Identifier: Apache-2.0
//
// Since: the local time that --since names, with or without its day.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tiercel::app {

class Since {
  public:
    // Takes "HH:MM", "HH:MM:SS", and "YYYY-MM-DD" with a blank or a 'T' before these. Returns
    // nothing for any other text. Call before the sandbox, because it may read the time zone.
    static std::optional<Since> parse(const std::string& text);

    // Returns the time in ns since the epoch. Without a day, it is on the local day of
    // `first_ns`, which is the time of the first event.
    std::uint64_t ns(std::uint64_t first_ns) const;

  private:
    bool has_day_ = false;
    std::uint64_t seconds_ = 0; // since the epoch; without a day: since midnight
};

} // namespace tiercel::app
