// SPDX-License-Identifier: Apache-2.0
//
// An incident for a terminal: the tree of processes, and the steps of a timeline, one a line.
#pragma once

#include "analyzer/output/writer.h"
#include "analyzer/report/summary.h"

namespace tiercel::report {

struct TextStyle {
    bool json = false; // one object a line
    bool colour = false;
    std::size_t columns = 80; // lines are cut to this
};

// Appends the processes that did something or run, with their ancestors, as a tree.
void append_tree(output::Buffer& out, const Summary& summary, const TextStyle& style);

// Appends one step. The time is local: call tzset() before the sandbox.
void append_step(output::Buffer& out, const Summary& summary, const Step& step,
                 const TextStyle& style);

} // namespace tiercel::report
