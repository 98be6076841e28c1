// SPDX-License-Identifier: Apache-2.0
//
// Source: where a pipeline's events come from: live rings (live_source.h) or a capture
// (replay_source.h). Made, with everything it will need open, before the sandbox is entered.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "analyzer/capture/lists.h"
#include "analyzer/output/statistics.h"
#include "analyzer/pipeline/pipeline.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class Source {
  public:
    virtual ~Source() = default;

    // In the sandbox, before the first read: what was there before the first event.
    virtual os::Result<void> begin() = 0;
    // Gives the pipeline what is there, or a part of it. Returns how many bytes of room() were in
    // use: from an eighth on, it is called again at once.
    virtual std::size_t read() = 0;
    // After the loop's end, when nothing has asked for it: what happened up to then.
    virtual void finish() = 0;
    // Why what read() gave is not all that there was; empty: it is.
    virtual const std::string& error() const = 0;
    // Readable when there is much to read. Lent.
    virtual std::span<const os::UniqueFd> wakeups() const = 0;
    // They are pipes (wire::Kind::wakeup): no event comes after their end.
    virtual bool ends_with_wakeups() const { return false; }
    virtual std::size_t room() const = 0;
    virtual std::optional<output::LiveStatistics> statistics() const = 0;
    // Where the events happened. A capture says so when its first event is read.
    virtual const capture::MachineInfo& machine() const = 0;
};

} // namespace tiercel::app
