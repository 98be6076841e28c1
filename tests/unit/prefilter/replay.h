// SPDX-License-Identifier: Apache-2.0
//
// Replays a recording of all events once with all events and once with those that the kernel filter
// passes, and compares the alerts.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analyzer/prefilter/compiler.h"
#include "analyzer/rules/rule_engine.h"

namespace tiercel::prefilter {

struct Outcome {
    std::uint64_t events = 0, passed = 0; // of the kinds that the rules and the tables need
    std::map<std::uint16_t, std::uint64_t> passed_by_code;
    std::vector<std::string> alerts, filtered_alerts; // time, thread, rule and text of each
};

using Change = std::function<void(tiercel_filter&)>;

// The rules of files, of which `is_on` chooses some by their position. `change` alters the filter
// before it is used. `session`: only events of its processes are counted; 0: all.
Outcome compare(const std::vector<std::string>& rule_files, const std::string& capture,
                const std::function<bool(std::size_t)>& is_on, const Change& change = {},
                std::int64_t session = 0);

// How many rules the files have.
std::size_t count_rules(const std::vector<std::string>& rule_files);

} // namespace tiercel::prefilter
