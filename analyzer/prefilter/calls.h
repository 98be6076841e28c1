// SPDX-License-Identifier: Apache-2.0
//
// Calls: where the parameters of a system call's event come from, as far as the kernel filter can
// look at the same place before the event is made.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

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

    bool concerns_fd = false;                    // the event uses, makes or closes an fd
    bool uses_fd = false;                        // its fd is known before the call
    bool destroys_fd = false;                    // and closed by it
    std::uint8_t fd_argument = Box::kNoArgument; // the call's argument that is the fd
    bool has_relative_path = false;              // a path may start at a descriptor

    // What the text of a parameter shows of the process's descriptors.
    enum class Shows : std::uint8_t {
        nothing,
        file,  // the name of a descriptor
        start, // a path, made whole by the name of a descriptor
        files, // several names, or names of descriptors that are not arguments
    };
    struct Parameter {
        std::string_view name;
        Shows shows = Shows::nothing;
        std::uint8_t descriptor = Box::kNoArgument; // the argument
    };
    std::vector<Parameter> parameters;
    // The arguments at which paths start, one bit each.
    std::uint8_t starts() const;
};

// Returns nullptr if the code is not that of a system call's exit, which can be filtered.
const Call* find_call(std::uint16_t code);

} // namespace tiercel::prefilter
