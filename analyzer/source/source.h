// SPDX-License-Identifier: Apache-2.0
//
// Source: the events of a session: live rings (live_source.h) or a capture (replay_source.h). It is
// made before the sandbox is entered, and opens everything that it will need.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "analyzer/capture/lists.h"
#include "analyzer/output/statistics.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/source/kept.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class Source {
  public:
    virtual ~Source() = default;

    // What begin() calls again and again while it works.
    struct Meanwhile {
        std::function<void()> alive; // tells the service manager's watchdog
        std::function<void()> read;  // does the same, and calls read() for the observers
    };
    // Call in the sandbox, before the first read(). Gives the state what ran before the first
    // event.
    virtual os::Result<void> begin(const Meanwhile& meanwhile) = 0;
    // Gives the pipeline the events that wait, or a part of them. Returns how many bytes of room()
    // were in use; from an eighth on, the loop calls it again at once.
    virtual std::size_t read() = 0;
    // Call after the loop's end, if no observer has stopped the session. Gives the pipeline the
    // events up to then.
    virtual void finish() = 0;
    // Returns why read() did not give all events; an empty text if it did.
    virtual const std::string& error() const = 0;
    // Returns fds that are readable when much waits to be read. The source keeps ownership.
    virtual std::span<const os::UniqueFd> wakeups() const = 0;
    // Returns true if the wakeups are pipes (wire::Kind::wakeup): no event comes after their end.
    virtual bool ends_with_wakeups() const { return false; }
    // Call when every thread of this process has started, and before seccomp.
    virtual void threads_started() {}
    // Returns the memories of a session that is kept for the next analyzer; nullptr: it is not.
    virtual Memories* memories() { return nullptr; }
    // Returns a record that crashed the analyzer before this one, and was passed over.
    virtual std::span<const std::byte> poison() const { return {}; }
    // Returns true if the probe was loaded for all that `wanted` asks for.
    virtual bool captures(const wire::Request& /*wanted*/) const { return true; }
    // Returns true if the next analyzer goes on with this session, and can have privd load more.
    virtual bool may_load_again() const { return false; }
    virtual std::size_t room() const = 0;
    virtual std::optional<output::LiveStatistics> statistics() const = 0;
    // Returns the machine of the events. A capture names it when its first event is read.
    virtual const capture::MachineInfo& machine() const = 0;
};

} // namespace tiercel::app
