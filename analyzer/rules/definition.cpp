// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/definition.h"

#include <algorithm>

namespace tiercel::rules {

void add_tags(std::vector<std::string>& tags, const std::vector<std::string>& more) {
    tags.insert(tags.end(), more.begin(), more.end());
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

} // namespace tiercel::rules
