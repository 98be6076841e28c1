// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace tiercel::courier {

// Forks a process with the name, which does `work` and ends with the number that it returns. Waits
// for it; it is killed after `seconds`. Returns how it failed, "" for 0. Call while this process
// has a single thread.
std::string run_in_child(const char* name, unsigned seconds, const std::function<int()>& work);

} // namespace tiercel::courier
