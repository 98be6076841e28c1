// SPDX-License-Identifier: Apache-2.0
//
// watch(): the analyzer's main task. It reads the configuration and the rules, opens the outputs,
// connects to privd or opens the capture, and then prints events and alerts until the session ends.
#pragma once

#include "analyzer/setup/command_line.h"

namespace tiercel::app {

// Returns the exit code: 2 if something is wrong with the configuration, the rules or the filter; 1
// for every other failure. A failure has been printed on standard error.
int watch(const CommandLine& given);

// -V: prints everything that is wrong with the configuration and the rules, as text on standard
// error or as one JSON object on standard output. Returns the exit code, 2 for an error.
int validate(const CommandLine& given);

// --explain-filter: prints which calls leave the kernel under the rules. Returns the exit code, as
// validate() does.
int explain_filter(const CommandLine& given);

} // namespace tiercel::app
