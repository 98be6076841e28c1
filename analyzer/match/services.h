// SPDX-License-Identifier: Apache-2.0
//
// Names of network services, so that a condition can say `fd.sport = ssh`.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiercel::filter {

// Reads /etc/services at the first call. Call before entering the sandbox, because no file can be
// opened afterwards.
void read_services();

// Finds the port of a service in /etc/services, or among the usual services if the file is missing
// (as in small container images). Returns false if there is no such service.
bool find_service_port(std::string_view name, std::int64_t& port);

} // namespace tiercel::filter
