// SPDX-License-Identifier: Apache-2.0
#include "analyzer/language/suggest.h"

#include <algorithm>
#include <vector>

namespace tiercel::filter {

namespace {
constexpr std::size_t kLongestWord = 100; // longer ones are no typing mistakes
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit)
        return limit;
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return std::min(last[b.size()], limit);
}

Suggestion::Suggestion(std::string_view word)
    : word_(word.substr(0, kLongestWord)), distance_(word.size() / 3 + 2) {}

void Suggestion::consider(std::string_view name) {
    if (name.empty() || name.size() > kLongestWord)
        return;
    const std::size_t distance = edit_distance(word_, name, distance_);
    if (distance < distance_ && distance < name.size()) {
        distance_ = distance;
        best_ = name;
    }
}

std::string Suggestion::hint() const {
    return best_.empty() ? std::string() : "did you mean '" + best_ + "'?";
}

} // namespace tiercel::filter
