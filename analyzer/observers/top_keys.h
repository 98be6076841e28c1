// SPDX-License-Identifier: Apache-2.0
//
// TopKeys: the keys of the top page. The terminal gives each key at once and does not show it. A
// small process that does nothing else gives the terminal its settings back when the analyzer ends,
// because the sandbox forbids the analyzer to do it, and because the analyzer may be killed.
#pragma once

#include <optional>

#include "analyzer/output/top.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class TopKeys {
  public:
    // Returns nothing if standard input is no terminal. Call before the sandbox and before any
    // thread.
    static os::Result<std::optional<TopKeys>> open();

    // Readable when keys wait.
    const os::UniqueFd& ready() const { return terminal_; }
    // Takes the keys that wait, and changes the view by them. Returns false if the user ends the
    // session.
    bool take(output::Top::View& view) const;

  private:
    TopKeys(os::UniqueFd terminal, os::UniqueFd alive)
        : terminal_(std::move(terminal)), alive_(std::move(alive)) {}

    os::UniqueFd terminal_;
    os::UniqueFd alive_; // its end tells the other process that this one has ended
};

// Changes the view by one key. Returns false if it ends the session.
bool take_key(char key, output::Top::View& view);

} // namespace tiercel::app
