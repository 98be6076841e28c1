// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/since.h"

#include <algorithm>
#include <ctime>

namespace tiercel::app {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t seconds_of_day(const std::tm& time) {
    const auto hours = static_cast<std::uint64_t>(time.tm_hour);
    const auto minutes = static_cast<std::uint64_t>(time.tm_min);
    return (hours * 60 + minutes) * 60 + static_cast<std::uint64_t>(time.tm_sec);
}

} // namespace

std::optional<Since> Since::parse(const std::string& text) {
    struct Form {
        const char* format;
        bool has_day;
    };
    for (const auto& [format, has_day] :
         {Form{"%Y-%m-%d %H:%M:%S", true}, Form{"%Y-%m-%dT%H:%M:%S", true},
          Form{"%Y-%m-%d %H:%M", true}, Form{"%Y-%m-%dT%H:%M", true}, Form{"%H:%M:%S", false},
          Form{"%H:%M", false}}) {
        std::tm time{};
        const char* end = strptime(text.c_str(), format, &time);
        if (end == nullptr || *end != '\0')
            continue;
        Since since;
        since.has_day_ = has_day;
        time.tm_isdst = -1; // mktime() finds out
        since.seconds_ = has_day
                             ? static_cast<std::uint64_t>(std::max<std::time_t>(mktime(&time), 0))
                             : seconds_of_day(time);
        return since;
    }
    return std::nullopt;
}

// localtime_r() reads no file, unlike mktime(), which the sandbox would end.
std::uint64_t Since::ns(std::uint64_t first_ns) const {
    if (has_day_)
        return seconds_ * kSecond;
    const auto first = static_cast<std::time_t>(first_ns / kSecond);
    std::tm day{};
    localtime_r(&first, &day);
    return (static_cast<std::uint64_t>(first) - seconds_of_day(day) + seconds_) * kSecond;
}

} // namespace tiercel::app
