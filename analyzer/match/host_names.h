// SPDX-License-Identifier: Apache-2.0
//
// Names of hosts by /etc/hosts. The analyzer asks no name server, because it has no network, and
// because each question would reveal an address that an event has.
#pragma once

#include <span>
#include <string_view>

namespace tiercel::filter {

// Reads /etc/hosts at the first call. Call before entering the sandbox, because no file can be
// opened afterwards.
void read_host_names();

// Returns the names of an address of 4 or 16 bytes in network order, in the order of the file. The
// texts are valid for the life of the process.
std::span<const std::string_view> find_host_names(std::string_view address);

} // namespace tiercel::filter
