// SPDX-License-Identifier: Apache-2.0
//
// watch: the analyzer's main task. It reaches privd, gives everything up, and then shows events
// until it is told to end.
#pragma once

#include "analyzer/app/options.h"

namespace tiercel::app {

// The exit code; what went wrong has been said on stderr.
int watch(const Options& options);

} // namespace tiercel::app
