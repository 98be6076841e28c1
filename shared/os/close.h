// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <algorithm>

namespace tiercel::os {

// Closes every descriptor from `first` on but `kept` (close_range(2)).
inline void close_all_but(int kept, int first) {
    if (kept > first)
        close_range(static_cast<unsigned>(first), static_cast<unsigned>(kept) - 1, 0);
    close_range(static_cast<unsigned>(std::max(kept + 1, first)), ~0U, 0);
}

} // namespace tiercel::os
