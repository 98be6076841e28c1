// SPDX-License-Identifier: Apache-2.0
//
// HelperProcess: a child process that does, outside the sandbox, what the analyzer itself may not
// do after its start: open files and ask the name service. It has the analyzer's uid, no
// capability, no file descriptor but its end of a socket and standard error, and a seccomp filter
// of policy/privilege/helper_syscalls.h. It ends with the analyzer.
//
// Messages are texts of any length, in records of a SOCK_SEQPACKET pair.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "policy/privilege/helper_syscalls.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class HelperProcess {
  public:
    struct Work {
        // The child's name in process lists; at most 15 bytes.
        const char* name;
        // Returns the answer to a request, which is sent back.
        std::function<std::string(std::string_view request)> answer;
        // Is called twice a second. A text that is not empty is sent to the analyzer.
        std::function<std::string()> look;
        // The child's seccomp filter, and what becomes of calls that it does not have.
        std::span<const policy::Allow> calls = policy::kHelperSteady;
        policy::Refused refused = policy::Refused::kill;
        // Is called in the child before the filter is installed; may be empty.
        std::function<void()> prepare = {};
    };

    // Starts the child. Call before the sandbox, while the process has a single thread.
    static os::Result<HelperProcess> start(const Work& work);

    // Is readable when a message, or a part of one, has come. This object keeps it.
    const os::UniqueFd& socket() const { return socket_; }
    // Returns false if the request cannot be sent now.
    bool ask(std::string_view request) const;
    // Reads what has come, and calls `take` for each whole message. Returns false if the child has
    // ended.
    bool read(const std::function<void(std::string message)>& take);

  private:
    explicit HelperProcess(os::UniqueFd socket) : socket_(std::move(socket)) {}

    os::UniqueFd socket_;
    std::string partial_; // the beginning of the next message
};

} // namespace tiercel::app
