// SPDX-License-Identifier: Apache-2.0
//
// Appends to the printers' buffer text that is ours; text of others goes through shared/escape.
#pragma once

#include <string_view>

#include "analyzer/output/writer.h"

namespace tiercel::output {

inline void append(Buffer& out, std::string_view plain) {
    out.append(plain.data(), plain.data() + plain.size());
}

} // namespace tiercel::output
