// SPDX-License-Identifier: Apache-2.0
//
// Getters that the tables of the process, its program and its ancestors share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyzer/fields/fields.h"
#include "analyzer/state/thread.h"

namespace tiercel::filter {

// Appends NUL-terminated strings with spaces between them.
void append_joined(std::string& out, std::string_view strings);
void append_cmdline(std::string& out, const state::Thread& thread);
// Returns the value of an environment variable; empty if there is none.
std::string_view env_value(const state::Thread& thread, std::string_view name);
// The path of the program without the " (deleted)" that /proc adds for a removed file.
std::string_view exe_path(const state::Thread& thread);
// Time since the process began, in ns; nothing if the start is not known.
std::optional<std::uint64_t> age(const EventContext& event, const state::Thread& thread);

// The state has 0 for numbers that are not known.
inline std::optional<std::uint64_t> known(std::uint64_t number) {
    return number != 0 ? std::optional(number) : std::nullopt;
}

} // namespace tiercel::filter
