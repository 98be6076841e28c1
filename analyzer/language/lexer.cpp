// SPDX-License-Identifier: Apache-2.0
//
// Lexer: recognises the words of a condition, their quotes and escapes.
#include "analyzer/language/lexer.h"

#include <algorithm>

namespace tiercel::filter {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}
// POSIX [[:space:]]: it ends bare words, and has more characters than the blanks between them.
bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool ends_bare_value(char c) {
    return is_space(c) || c == '\b' || c == '(' || c == ')' || c == '"' || c == '\'' || c == '=' ||
           c == ',';
}

bool ends_bare_argument(char c) {
    return is_space(c) || c == '\b' || c == '[' || c == ']' || c == '"' || c == '\'';
}

template <typename Ends>
std::string_view take_until(std::string_view text, std::size_t& at, Ends ends) {
    const std::size_t from = at;
    while (at < text.size() && !ends(text[at]))
        ++at;
    return text.substr(from, at - from);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct Escape {
    int character = -1; // -1: there is no such escape
    std::size_t length = 2;
};

// The escape at the start of `text`, which begins with a backslash; `quote` is the kind of quotes.
Escape escape_at(std::string_view text, char quote) {
    const char c = text.size() > 1 ? text[1] : '\0';
    switch (c) {
    case 'b': return {'\b'};
    case 'f': return {'\f'};
    case 'n': return {'\n'};
    case 'r': return {'\r'};
    case 't': return {'\t'};
    case ' ': return {'\\'}; // Falco reads it so, because old rules rely on it.
    case '\\': return {'\\'};
    case '/': return {'/'};
    case 'x': {
        const int high = text.size() > 3 ? hex_digit(text[2]) : -1;
        const int low = text.size() > 3 ? hex_digit(text[3]) : -1;
        if (high < 0 || low < 0 || high + low == 0) // a text cannot hold the byte 0
            return {};
        return {high * 16 + low, 4};
    }
    default: return {c == quote ? c : -1};
    }
}

} // namespace

bool Lexer::skip_blanks() {
    const std::size_t from = at_;
    while (!at_end() && is_blank(text_[at_]))
        ++at_;
    return at_ != from;
}

bool Lexer::take(char expected) {
    if (!next_is(expected))
        return false;
    ++at_;
    return true;
}

bool Lexer::take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word)
        return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && is_word(text_[end]))
        return false;
    at_ = end;
    return true;
}

std::string_view Lexer::take_identifier() {
    if (at_end() || !is_letter(text_[at_]))
        return {};
    return take_until(text_, at_, [](char c) { return !is_word(c); });
}

std::string_view Lexer::take_field_name() {
    const std::size_t from = at_;
    if (take_identifier().empty())
        return {};
    std::size_t parts = 1;
    while (at_ + 1 < text_.size() && text_[at_] == '.' && is_word(text_[at_ + 1])) {
        ++at_;
        take_until(text_, at_, [](char c) { return !is_word(c); });
        ++parts;
    }
    if (parts < 2) {
        at_ = from;
        return {};
    }
    return text_.substr(from, at_ - from);
}

std::string_view Lexer::take_bare_argument() {
    return take_until(text_, at_, ends_bare_argument);
}

std::string_view Lexer::take_bare_value() {
    return take_until(text_, at_, ends_bare_value);
}

bool Lexer::take_operator(Op& op) {
    const std::size_t from = at_;
    if (!at_end() && !is_letter(text_[at_])) {
        for (const std::size_t length : {2U, 1U}) { // "<=" before "<"
            if (at_ + length <= text_.size() && find_op(text_.substr(at_, length), op)) {
                at_ += length;
                return true;
            }
        }
        return false;
    }
    if (find_op(take_identifier(), op))
        return true;
    at_ = from;
    return false;
}

bool Lexer::take_quantifier(Quantifier& quantifier) {
    const std::size_t from = at_;
    if (find_quantifier(take_identifier(), quantifier) && skip_blanks()) {
        const std::size_t list = at_;
        const std::string_view name = take_identifier();
        at_ = list;
        if (next_is('(') || (!name.empty() && name != "and" && name != "or" && name != "not"))
            return true;
    }
    quantifier = Quantifier::none;
    at_ = from;
    return false;
}

Lexer::Quoted Lexer::take_quoted(std::string& value) {
    if (!next_is('"') && !next_is('\''))
        return Quoted::absent;
    const std::size_t from = at_;
    const char quote = text_[at_++];
    value.clear();
    while (!at_end() && text_[at_] != quote) {
        if (text_[at_] != '\\') {
            value += text_[at_++];
            continue;
        }
        if (at_ + 1 >= text_.size())
            break;
        const Escape escape = escape_at(text_.substr(at_), quote);
        if (escape.character < 0)
            return Quoted::bad_escape;
        value += static_cast<char>(escape.character);
        at_ += escape.length;
    }
    if (at_end() || text_[at_] != quote) {
        at_ = from;
        return Quoted::unterminated;
    }
    ++at_;
    return Quoted::taken;
}

Span Lexer::word_at(std::uint32_t offset) const {
    std::size_t end = offset;
    while (end < text_.size() && !ends_bare_value(text_[end]))
        ++end;
    const std::size_t length = std::max<std::size_t>(1, end - offset);
    return {offset, static_cast<std::uint32_t>(length)};
}

} // namespace tiercel::filter
