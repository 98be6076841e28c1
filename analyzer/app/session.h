// SPDX-License-Identifier: Apache-2.0
//
// watch: the analyzer's main task. It reads the rules, opens the outputs, reaches privd or opens
// the capture, gives everything up, and then shows events and alerts until it is told to end.
#pragma once

#include "analyzer/setup/options.h"

namespace tiercel::app {

// The exit code; what went wrong has been said on stderr.
int watch(const Options& options);

} // namespace tiercel::app
