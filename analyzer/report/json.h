// SPDX-License-Identifier: Apache-2.0
//
// The summary as one JSON object for the page's program. It can stand in a script element: no text
// holds '<'. Texts are escaped as on a terminal, so that no name hides or reorders what is beside
// it.
#pragma once

#include <string>
#include <vector>

#include "analyzer/report/summary.h"

namespace tiercel::report {

// What the summary does not know.
struct Facts {
    std::string capture;            // its name
    std::string hostname;           // of the machine of the events
    std::vector<std::string> notes; // what was lost before the summary, one sentence each
};

// Every list is bounded in bytes; the object says what was left out. It has at most about 4.8 MB.
void append_json(output::Buffer& out, const Summary& summary, const Facts& facts);

} // namespace tiercel::report
