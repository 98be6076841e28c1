// SPDX-License-Identifier: Apache-2.0
//
// Lexer: reads the words of a condition on demand. What a stretch of text is depends on where the
// parser stands (`a=b` is an operator between words, but `a.b` is one field and `/etc/a.b` one
// value), so there is no token stream: the parser asks for what may come next, and a question that
// fails moves nothing.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::uint32_t offset() const { return static_cast<std::uint32_t>(at_); }
    void rewind(std::uint32_t offset) { at_ = offset; }
    bool at_end() const { return at_ >= text_.size(); }
    std::string_view text() const { return text_; }

    bool skip_blanks(); // true when there was one
    bool take(char expected);
    bool next_is(char expected) const { return !at_end() && text_[at_] == expected; }
    // `word` with no letter, digit or underscore right after it.
    bool take_word(std::string_view word);

    // Letters, digits and underscores, from a letter on. Empty when something else comes.
    std::string_view take_identifier();
    // Identifiers joined by dots, two at least: `proc.name`.
    std::string_view take_field_name();
    // What stands within a field's brackets, unquoted.
    std::string_view take_bare_argument();
    // Everything up to a blank, a parenthesis, a quote, `=` or `,`.
    std::string_view take_bare_value();
    // <=, <, >=, >, ==, =, != or a word operator.
    bool take_operator(Op& op);

    enum class Quoted { absent, taken, unterminated, bad_escape };
    // A quoted string, its escapes resolved into `value`. After bad_escape, offset() is at the
    // escape.
    Quoted take_quoted(std::string& value);

    // The stretch to underline when what stands at `offset` is wrong: the word there, or one
    // character.
    Span word_at(std::uint32_t offset) const;

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace tiercel::filter
