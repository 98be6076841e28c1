// SPDX-License-Identifier: Apache-2.0
#include <re2/re2.h>

#include "analyzer/match/sets/glob.h"

namespace tiercel::filter {

struct Regex::Compiled {
    Compiled(std::string_view pattern, const re2::RE2::Options& options)
        : regex(re2::StringPiece(pattern.data(), pattern.size()), options) {}
    re2::RE2 regex;
};

Regex::Regex(std::string_view pattern, bool fold_case) {
    re2::RE2::Options options(
        re2::RE2::Latin1); // values are bytes: names of files need not be UTF-8
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_dot_nl(true);
    options.set_case_sensitive(!fold_case);
    options.set_max_mem(8 << 20);
    compiled_ = std::make_unique<Compiled>(pattern, options);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

std::string Regex::error() const {
    return compiled_->regex.ok() ? std::string() : compiled_->regex.error();
}

bool Regex::match(std::string_view text) const {
    const re2::StringPiece piece(text.data(), text.size());
    return compiled_->regex.Match(piece, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

} // namespace tiercel::filter
