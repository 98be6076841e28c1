// SPDX-License-Identifier: Apache-2.0
//
// Calls: where the parameters of a system call's event come from, as far as the kernel filter can
// look at the same place before the event is made.
#pragma once

#include <cstdint>

#include "analyzer/prefilter/box.h"

namespace tiercel::prefilter {

struct Call {
    static constexpr std::uint8_t kNoParameter = 0xff;

    std::uint16_t code = 0;
    bool result_is_first = false; // the first parameter is what the call returned, 64 bits wide
    bool makes_fd = false;        // the event's fd is the call's result, and nothing if it failed
    std::uint8_t flags = kNoParameter;              // the parameter with open flags
    std::uint8_t flags_argument = Box::kNoArgument; // the call's argument that has them
    std::uint8_t path_argument = Box::kNoArgument;  // the path that becomes the fd's raw name
};

// Returns nullptr if the code is not that of a system call's exit, which can be filtered.
const Call* find_call(std::uint16_t code);

} // namespace tiercel::prefilter
