// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/excerpts.h"

#include "analyzer/report/rows.h"

namespace tiercel::report {

std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
        --most;
    return text.substr(0, most);
}

std::uint32_t Excerpts::add(const output::Shown& shown) {
    if (last_ == shown.number && size() > 0)
        return static_cast<std::uint32_t>(size() - 1);
    if (text_.size() >= kMostBytes)
        return kNone;
    buffer_.clear();
    line_.append(buffer_, shown);
    std::string_view whole(buffer_.data(), buffer_.size());
    whole.remove_suffix(1); // the end of the line
    const std::string_view kept = cut(whole, kMostLine);
    text_ += kept;
    if (kept.size() < whole.size()) {
        text_ += " …";
        ++cut_;
    }
    ends_.push_back(text_.size());
    last_ = shown.number;
    return static_cast<std::uint32_t>(size() - 1);
}

} // namespace tiercel::report
