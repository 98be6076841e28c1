// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/overlap.h"

#include <algorithm>

namespace tiercel::app {

Gap longest_gap(std::vector<std::uint64_t> times, std::uint64_t begin, std::uint64_t end) {
    std::erase_if(times, [=](std::uint64_t time) { return time < begin || time > end; });
    times.push_back(begin);
    times.push_back(end);
    std::ranges::sort(times);
    Gap longest{.middle = begin, .width = 0};
    for (std::size_t i = 1; i < times.size(); ++i) {
        const std::uint64_t width = times[i] - times[i - 1];
        if (width > longest.width)
            longest = {.middle = times[i - 1] + width / 2, .width = width};
    }
    return longest;
}

} // namespace tiercel::app
