// SPDX-License-Identifier: Apache-2.0
//
// StatusLine: the last line of a terminal, on standard error, which shows each second how many
// events come and how many were dropped.
#pragma once

#include "analyzer/output/writer.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/service/loop.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class StatusLine {
  public:
    // Returns true if standard error is a terminal that understands control sequences.
    static bool is_possible();

    // Call before entering the sandbox. `pipeline` and `source` must outlive this object, and this
    // object must outlive `loop`'s run.
    StatusLine(const Pipeline& pipeline, const Source& source, Loop& loop);
    // Clears the line, for what is printed next.
    void end();

  private:
    void draw();

    const Pipeline& pipeline_;
    const Source& source_;
    output::Writer err_;
    std::uint64_t events_ = 0, drawn_ns_; // as of the last drawing
};

} // namespace tiercel::app
