// SPDX-License-Identifier: Apache-2.0
//
// Cursor: how far a destination has come, in a file of its own. A process that is killed leaves the
// old place or the new one, because the place is written by one write of 16 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

class Cursor {
  public:
    // Opens the cursor of the destination `name`, or makes it. A new or damaged one stands at 0:
    // the destination gets everything that the spool still has.
    static os::Result<Cursor> open(const os::UniqueFd& directory, const std::string& name);

    // Returns the index of the next record that the destination wants.
    std::uint64_t next() const { return next_; }
    os::Result<void> move_to(std::uint64_t next);
    // Returns a further descriptor of the file, which can be synchronised without this object.
    os::UniqueFd another_fd() const;

  private:
    os::UniqueFd fd_;
    std::uint64_t next_ = 0;
};

// Removes the cursors of destinations that are not in `names` any more.
void remove_other_cursors(const os::UniqueFd& directory, const std::vector<std::string>& names);

} // namespace tiercel::courier
