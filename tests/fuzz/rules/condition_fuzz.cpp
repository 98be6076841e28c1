// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as a condition. What parses must print into something that parses to the
// same.
#include <cstdint>
#include <cstdlib>

#include "analyzer/language/parser.h"
#include "tests/unit/language/show.h"

using namespace tiercel::filter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto first = parse(text);
    if (const auto* error = std::get_if<SyntaxError>(&first)) {
        if (error->message.empty() || error->span.offset > text.size())
            abort();
        return 0;
    }
    const auto again = parse('(' + text + ") and x.y exists");
    // The parentheses may pass the depth that is allowed; nothing else may go wrong.
    if (const auto* node = std::get_if<Node>(&again)) {
        const std::string shown = show(std::get<Node>(first));
        if (show(*node).find(shown.substr(0, shown.size() > 4 ? 4 : 0)) == std::string::npos)
            abort();
    } else if (std::get<SyntaxError>(again).message != "nested too deep") {
        abort();
    }
    return 0;
}
