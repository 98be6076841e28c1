// SPDX-License-Identifier: Apache-2.0
//
// Chooses the rows of a summary that a page shows, the most important first: alerts, the processes
// that raised them with their ancestors and children, and what these used; then the busiest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/report/summary.h"

namespace tiercel::report {

using Order = std::vector<std::uint32_t>; // indexes of rows

Order order_of_processes(const Summary& summary);
Order order_of_files(const Summary& summary);
Order order_of_connections(const Summary& summary);

// "exit 1", "killed by SIGKILL"; empty for a process that has not ended.
std::string end_of(const ProcessRow& process);
// The name, or the id if there is none.
std::string name_of(const UserRow& user);
std::string name_of(const ContainerRow& container);

} // namespace tiercel::report
