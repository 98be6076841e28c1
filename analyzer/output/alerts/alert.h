// SPDX-License-Identifier: Apache-2.0
//
// Alert: the message about a rule's match, and its two forms: a line of text, or a line of JSON
// with Falco's keys in Falco's order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "analyzer/config/priority.h"

namespace tiercel::alerts {

// A field's value in JSON: null, boolean, number, text or a list of texts.
using FieldValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                                std::string, std::vector<std::string>>;

struct Alert {
    std::uint64_t time_ns = 0; // since the epoch
    std::string rule;
    config::Priority priority = config::Priority::debug;
    std::string source = "syscall";
    std::vector<std::string> tags; // sorted
    std::string message;           // the rule's output, formatted
    std::vector<std::pair<std::string, FieldValue>> fields;
    std::string container_id; // of the process; empty: the host
    std::string capture_file; // the capture of the events around it; empty: none
};

// Returns the alert's id, by which its capture is named: the time and a number of the rule's name,
// in hexadecimal digits. Ids sort by time.
std::string id_of(std::uint64_t time_ns, std::string_view rule);

struct Style {
    bool json = false;
    bool include_output = true;
    bool include_tags = true;
    bool include_message = false;
    bool include_fields = true;
    bool iso_8601 = false; // times of text; JSON always has ISO 8601
    bool utc = false;      // times of text; otherwise local time, as in Falco
    std::string hostname;
};

// Returns one line without its end. Local times need the time zone: call tzset() before the
// sandbox.
std::string render(const Alert& alert, const Style& style);

// Returns "2017-10-20T15:10:52.222264351Z".
std::string iso_time(std::uint64_t time_ns);

} // namespace tiercel::alerts
