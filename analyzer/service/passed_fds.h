// SPDX-License-Identifier: Apache-2.0
//
// The descriptors that the service manager passed to this process, by name (sd_listen_fds(3)):
// sockets, and what an earlier process of the service has given it to keep (Notify::store()).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

// How the names of stored descriptors begin.
inline constexpr std::string_view kStoredPrefix = "kept-";

// Reads the names ($LISTEN_FDNAMES). Call first in main(), because os::inherited() removes them
// from the environment.
void note_passed_names();

struct PassedFd {
    std::string name; // without the prefix
    os::UniqueFd fd;
};

// Takes the descriptors whose names begin with `prefix`, in the order in which they were passed. A
// second call with the same prefix returns none.
std::vector<PassedFd> take_passed(std::string_view prefix);

// Receives what a keeper has kept (keeper/store.h), so that take_passed() finds it. Waits at most
// five seconds for each record. Fails if the keeper ends, or does not keep to its protocol.
os::Result<void> receive_passed(const os::UniqueFd& keeper);

// Returns the numbers of the passed descriptors that no process of the service has stored: those of
// the service's socket units, or of the process that started the analyzer.
std::vector<int> passed_sockets();

} // namespace tiercel::app
