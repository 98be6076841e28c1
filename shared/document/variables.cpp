// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "shared/document/document.h"

namespace tiercel::config {

namespace {

std::string expand(std::string_view text) {
    std::string expanded;
    while (!text.empty()) {
        const std::size_t at = text.find("${");
        const std::size_t end = at == std::string_view::npos ? at : text.find('}', at);
        if (end == std::string_view::npos)
            break;
        expanded += text.substr(0, at);
        if (expanded.ends_with('$')) {
            expanded.pop_back();
            expanded += text.substr(at, end + 1 - at);
        } else if (const char* value =
                       std::getenv(std::string(text.substr(at + 2, end - at - 2)).c_str());
                   value != nullptr) {
            expanded += value;
        }
        text.remove_prefix(end + 1);
    }
    return expanded.append(text);
}

} // namespace

void expand_variables(DocumentNode& node) {
    node.scalar = expand(node.scalar);
    for (DocumentNode& item : node.items)
        expand_variables(item);
}

} // namespace tiercel::config
