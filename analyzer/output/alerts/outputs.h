// SPDX-License-Identifier: Apache-2.0
//
// Outputs: which outputs of config/outputs.def the settings enable, and opening them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analyzer/output/alerts/sink.h"

namespace tiercel::alerts {

bool any_enabled(const config::Settings& settings);

// Returns the keys that enable outputs, "stdout_output.enabled, …", for messages.
std::string output_names();

// Opens the outputs that are enabled, or returns the first error. A receiver that is absent is
// printed, and its alerts wait for it.
os::Result<std::vector<std::unique_ptr<Sink>>> open_sinks(const config::Settings& settings);

} // namespace tiercel::alerts
