// SPDX-License-Identifier: Apache-2.0
//
// Listings of the event table, for people and programs.
#pragma once

#include "analyzer/output/writer.h"
#include "analyzer/setup/options.h"

namespace tiercel::app {

// Name, number on this machine and event of each system call.
void list_syscalls(output::Buffer& out);
// Events that drivers give, with parameters: text, a Markdown table, or JSON (one array).
void list_events(output::Buffer& out, Options::Form form);
std::string list_fields(Options::Form form);

} // namespace tiercel::app
