// SPDX-License-Identifier: Apache-2.0
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
// POSIX [[:space:]], which ends bare words, is wider than the blanks between them.
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

// The character that `\c` stands for within quotes of kind `quote`; -1: no such escape.
int unescape(char c, char quote) {
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case ' ': return '\\'; // as Falco has it, for the sake of old rules
    case '\\': return '\\';
    case '/': return '/';
    default: return c == quote ? c : -1;
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
    for (const std::string_view sign : {"<=", "<", ">=", ">", "==", "=", "!="}) {
        if (text_.substr(at_, sign.size()) == sign) {
            at_ += sign.size();
            return find_op(sign, op);
        }
    }
    const std::size_t from = at_;
    if (find_op(take_identifier(), op))
        return true;
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
        const int meant = unescape(text_[at_ + 1], quote);
        if (meant < 0)
            return Quoted::bad_escape;
        value += static_cast<char>(meant);
        at_ += 2;
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
