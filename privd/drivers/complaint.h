// SPDX-License-Identifier: Apache-2.0
//
// What libbpf says about a load that fails: of all its lines the first warning, which names the
// cause, and the verifier's last line that says something.
#pragma once

#include <cstddef>

namespace tiercel::privd {

// Has libbpf's warnings written to `room` of `bytes` bytes, which must outlive the load. The room
// is made empty; call again for another attempt.
void keep_complaint(char* room, std::size_t bytes);

// The verifier's last line that says something: not one of the statistics at the end. Returns its
// length and sets `line`, which points into `log`; 0 if there is none.
std::size_t last_verdict(const char* log, const char*& line);

} // namespace tiercel::privd
