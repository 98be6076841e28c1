// SPDX-License-Identifier: Apache-2.0
//
// An incident as one HTML file: it needs no network, and its Content-Security-Policy forbids
// everything but its own style and program.
#pragma once

#include <string_view>

#include "analyzer/report/json.h"

namespace tiercel::report {

// The page before and after the data (cmake/EmbedPage.cmake makes them of the folder page).
extern const std::string_view kPageHead, kPageTail;
extern const std::string_view kLiveHead, kLiveTail; // of live_page.h

void append_page(output::Buffer& out, const Summary& summary, const Facts& facts);

} // namespace tiercel::report
