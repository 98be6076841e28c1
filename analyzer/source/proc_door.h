// SPDX-License-Identifier: Apache-2.0
//
// ProcDoor: what already ran, for a driver without iterators, from files of /proc that privd opens
// and this process reads.
#pragma once

#include <string>
#include <vector>

#include "analyzer/state/state_tracker.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class ProcDoor {
  public:
    // Lists the threads and takes the targets of their links, which the sandbox would not permit.
    // `privd` is the session's socket, and is only borrowed, for this call and the next.
    static ProcDoor look(const os::UniqueFd& privd);

    // Reads the other files, inside the sandbox, and adds the threads; the caller links them.
    // Returns how many. Threads that have ended meanwhile are left out.
    std::size_t tell(const os::UniqueFd& privd, state::StateTracker& state) const;

  private:
    struct Found {
        std::int32_t tid;
        std::string exe, cwd;
    };
    std::vector<Found> found_;
};

} // namespace tiercel::app
