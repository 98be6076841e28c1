// SPDX-License-Identifier: Apache-2.0
//
// Lexer: reads the words of a condition on demand
//
// The meaning of a character depends on the place of the parser: `a=b` is an operator between
// words, `a.b` is one field, and `/etc/a.b` is one value. So there is no token stream. The parser
// asks for the words that may come next; a call that fails does not move the lexer.
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

    bool skip_blanks(); // returns true if there was one
    bool take(char expected);
    bool next_is(char expected) const { return !at_end() && text_[at_] == expected; }
    // Takes `word` if no letter, digit or underscore follows it.
    bool take_word(std::string_view word);

    // Takes letters, digits and underscores that begin with a letter. Empty if there are none.
    std::string_view take_identifier();
    // Takes two or more identifiers joined by dots: `proc.name`.
    std::string_view take_field_name();
    // Takes an unquoted argument within a field's brackets.
    std::string_view take_bare_argument();
    // Takes all characters up to a blank, a parenthesis, a quote, `=` or `,`.
    std::string_view take_bare_value();
    // Takes an operator of operators.def.
    bool take_operator(Op& op);
    // Takes oneof, anyof or allof and the blanks after it, if a list or the name of one follows.
    bool take_quantifier(Quantifier& quantifier);

    enum class Quoted { absent, taken, unterminated, bad_escape };
    // Takes a quoted string and stores it in `value` without quotes and escapes. After bad_escape,
    // offset() is at the escape.
    Quoted take_quoted(std::string& value);

    // The range that an error message underlines: the word at `offset`, or one character.
    Span word_at(std::uint32_t offset) const;

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace tiercel::filter
