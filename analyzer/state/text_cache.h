// SPDX-License-Identifier: Apache-2.0
//
// TextCache gives equal texts one string: paths, names and cgroups repeat from process to process.
// It remembers the last text of each hash value, and only short ones, so it is bounded.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "analyzer/state/text.h"

namespace tiercel::state {

class TextCache {
  public:
    Text share(std::string_view text) {
        if (text.empty() || text.size() > kLongest)
            return Text(text);
        Text& known = texts_[std::hash<std::string_view>()(text) % kTexts];
        known.set(text);
        return known;
    }
    // Forgets the texts that only the cache has. Each keeps a page of memory from being returned to
    // the system, because the texts around it may have gone.
    void forget_unused() {
        for (Text& text : texts_)
            if (text.is_last())
                text = Text();
    }

  private:
    static constexpr std::size_t kTexts = 4096, kLongest = 1024;
    std::vector<Text> texts_ = std::vector<Text>(kTexts);
};

} // namespace tiercel::state
