// SPDX-License-Identifier: Apache-2.0
//
// ProcDoor: the threads that already run, for a driver without iterators. privd opens their files
// of /proc, and this process reads them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analyzer/state/state_tracker.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class ProcDoor {
  public:
    // Lists the threads and reads the targets of their links, which the sandbox would not permit.
    // `privd` is the session's socket; the caller keeps it.
    static ProcDoor look(const os::UniqueFd& privd);

    // Reads the other files, inside the sandbox, and adds the threads to the state; the caller
    // links them. Calls `between` after each thread. Returns how many threads it added; those that
    // have ended meanwhile are left out.
    std::size_t tell(const os::UniqueFd& privd, state::StateTracker& state,
                     const std::function<void()>& between) const;

  private:
    struct Found {
        std::int32_t tid;
        std::string exe, cwd;
    };
    std::vector<Found> found_;
};

} // namespace tiercel::app
