// SPDX-License-Identifier: Apache-2.0
//
// Texts about processes, for the process itself and for its ancestors.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/state/thread.h"

namespace tiercel::filter {

// NUL-terminated strings with spaces between them.
void append_joined(std::string& out, std::string_view strings);
void append_cmdline(std::string& out, const state::Thread& thread);
// Empty: there is no such variable.
std::string_view env_value(const state::Thread& thread, std::string_view name);

} // namespace tiercel::filter
