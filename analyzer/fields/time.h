// SPDX-License-Identifier: Apache-2.0
//
// Times as text, in the local zone.
#pragma once

#include <cstdint>
#include <string>

namespace tiercel::filter {

void append_clock(std::string& out, std::uint64_t ns, bool with_fraction); // 17:35:42.999999999
void append_date(std::string& out, std::uint64_t ns,
                 bool with_fraction);                    // 2018-08-17 17:35:42.999999999 +0000
void append_iso8601(std::string& out, std::uint64_t ns); // 2018-08-17T17:35:42.999999999+0000

} // namespace tiercel::filter
