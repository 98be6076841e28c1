// SPDX-License-Identifier: Apache-2.0
//
// Glob and Regex: compiled patterns
//
// Globs are those of fnmatch(3) without flags but with extended patterns, as in Falco: `*` and `?`
// match any character, '/' included. Extended patterns (`@(a|b)`) become regexes. A Regex matches
// the whole value. sets/regex.cpp is the only file that uses the regex library.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::filter {

class Regex {
  public:
    explicit Regex(std::string_view pattern, bool fold_case = false);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    // Returns the mistake in the pattern; empty if there is none.
    std::string error() const;
    bool match(std::string_view text) const;

  private:
    struct Compiled;
    std::unique_ptr<Compiled> compiled_;
};

class Glob {
  public:
    Glob(std::string_view pattern, bool fold_case);

    // Returns the mistake in the pattern; empty if there is none.
    std::string error() const { return error_; }
    bool match(std::string_view text) const;

  private:
    enum class Kind : std::uint8_t { literal, any, star, set };
    struct Token {
        Kind kind = Kind::literal;
        char literal = 0;
        std::uint16_t set = 0; // index into sets_
    };
    bool tokenize(std::string_view pattern);
    bool tokenize_set(std::string_view pattern, std::size_t& at);
    bool fits(const Token& token, char c) const;

    bool fold_case_;
    std::vector<Token> tokens_;
    std::vector<std::bitset<256>> sets_;
    std::unique_ptr<Regex> extended_; // in place of tokens_
    std::string error_;
};

} // namespace tiercel::filter
