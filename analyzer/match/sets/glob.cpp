// SPDX-License-Identifier: Apache-2.0
//
// Glob: compiles patterns to tokens, or to a regex if they have groups, and matches tokens.
#include "analyzer/match/sets/glob.h"

#include <array>
#include <optional>

#include "analyzer/match/sets/text.h"

namespace tiercel::filter {

namespace {

bool opens_group(std::string_view pattern, std::size_t at) {
    return at + 1 < pattern.size() && pattern[at + 1] == '(' &&
           std::string_view("?*+@!").find(pattern[at]) != std::string_view::npos;
}

bool has_group(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\')
            ++i;
        else if (opens_group(pattern, i))
            return true;
    }
    return false;
}

void append_literal(std::string& regex, char c) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos)
        regex += '\\';
    regex += c;
}

// Returns the end of the set that starts at `at`; npos if the bracket is an ordinary character.
std::size_t set_end(std::string_view pattern, std::size_t at) {
    std::size_t i = at + 1;
    if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^'))
        ++i;
    if (i < pattern.size() && pattern[i] == ']')
        ++i;
    for (; i < pattern.size() && pattern[i] != ']'; ++i) {
        if (pattern[i] == '\\')
            ++i;
        else if (pattern.substr(i, 2) == "[:" && pattern.find(":]", i) != std::string_view::npos)
            i = pattern.find(":]", i) + 1;
    }
    return i < pattern.size() ? i : std::string_view::npos;
}

std::string set_as_regex(std::string_view set) {
    std::string regex = "[";
    std::size_t i = 1;
    if (i < set.size() && (set[i] == '!' || set[i] == '^')) {
        regex += '^';
        ++i;
    }
    if (i < set.size() && set[i] == ']') {
        regex += "\\]";
        ++i;
    }
    regex += set.substr(i);
    return regex;
}

// Returns a glob with groups as a regex. Returns nothing for `!(…)`, because no short regular
// expression has its meaning.
std::optional<std::string> as_regex(std::string_view pattern) {
    std::string regex = "(?s)";
    std::vector<char> groups; // the quantifier of each open group
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (opens_group(pattern, i)) {
            if (c == '!')
                return std::nullopt;
            groups.push_back(c);
            regex += "(?:";
            ++i;
        } else if (c == ')' && !groups.empty()) {
            regex += ')';
            if (groups.back() != '@')
                regex += groups.back();
            groups.pop_back();
        } else if (c == '|' && !groups.empty()) {
            regex += '|';
        } else if (c == '*') {
            regex += ".*";
        } else if (c == '?') {
            regex += '.';
        } else if (c == '[' && set_end(pattern, i) != std::string_view::npos) {
            const std::size_t end = set_end(pattern, i);
            regex += set_as_regex(pattern.substr(i, end - i + 1));
            i = end;
        } else if (c == '\\' && i + 1 < pattern.size()) {
            append_literal(regex, pattern[++i]);
        } else {
            append_literal(regex, c);
        }
    }
    return groups.empty() ? std::optional<std::string>(regex) : std::nullopt;
}

struct NamedClass {
    std::string_view name;
    bool (*holds)(unsigned char);
};

constexpr bool between(unsigned char c, char low, char high) {
    return c >= static_cast<unsigned char>(low) && c <= static_cast<unsigned char>(high);
}
constexpr bool is_digit(unsigned char c) {
    return between(c, '0', '9');
}
constexpr bool is_lower(unsigned char c) {
    return between(c, 'a', 'z');
}
constexpr bool is_upper(unsigned char c) {
    return between(c, 'A', 'Z');
}
constexpr bool is_alpha(unsigned char c) {
    return is_lower(c) || is_upper(c);
}
constexpr bool is_alnum(unsigned char c) {
    return is_alpha(c) || is_digit(c);
}

constexpr std::array<NamedClass, 10> kClasses = {{
    {"digit", is_digit},
    {"lower", is_lower},
    {"upper", is_upper},
    {"alpha", is_alpha},
    {"alnum", is_alnum},
    {"space", [](unsigned char c) { return c == ' ' || between(c, '\t', '\r'); }},
    {"blank", [](unsigned char c) { return c == ' ' || c == '\t'; }},
    {"punct", [](unsigned char c) { return between(c, '!', '~') && !is_alnum(c); }},
    {"cntrl", [](unsigned char c) { return c < ' ' || c == 0x7f; }},
    {"xdigit",
     [](unsigned char c) { return is_digit(c) || between(c, 'a', 'f') || between(c, 'A', 'F'); }},
}};

} // namespace

Glob::Glob(std::string_view pattern, bool fold_case) : fold_case_(fold_case) {
    if (!has_group(pattern)) {
        tokenize(pattern);
        return;
    }
    const std::optional<std::string> regex = as_regex(pattern);
    if (!regex) {
        error_ = "this extended glob is not supported: '!(' or a group that is never closed";
        return;
    }
    extended_ = std::make_unique<Regex>(*regex, fold_case);
    error_ = extended_->error();
}

bool Glob::tokenize(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '*') {
            if (tokens_.empty() || tokens_.back().kind != Kind::star)
                tokens_.push_back({Kind::star, 0, 0});
        } else if (c == '?') {
            tokens_.push_back({Kind::any, 0, 0});
        } else if (c == '[' && tokenize_set(pattern, i)) {
            continue;
        } else {
            const char meant = c == '\\' && i + 1 < pattern.size() ? pattern[++i] : c;
            tokens_.push_back({Kind::literal, fold_case_ ? fold(meant) : meant, 0});
        }
    }
    return true;
}

bool Glob::tokenize_set(std::string_view pattern, std::size_t& at) {
    const std::size_t end = set_end(pattern, at);
    if (end == std::string_view::npos)
        return false;
    std::size_t i = at + 1;
    const bool inverted = pattern[i] == '!' || pattern[i] == '^';
    i += inverted ? 1 : 0;
    std::bitset<256> set;
    while (i < end) {
        const std::size_t close = pattern.find(":]", i);
        if (pattern.substr(i, 2) == "[:" && close < end) {
            const std::string_view name = pattern.substr(i + 2, close - i - 2);
            for (unsigned c = 0; c < 256; ++c) {
                for (const NamedClass& known : kClasses) {
                    if (known.name == name && known.holds(static_cast<unsigned char>(c)))
                        set.set(c);
                }
            }
            i = close + 2;
            continue;
        }
        if (pattern[i] == '\\' && i + 1 < end)
            ++i;
        const auto low = static_cast<unsigned char>(pattern[i++]);
        unsigned char high = low;
        if (i + 1 < end && pattern[i] == '-') {
            high = static_cast<unsigned char>(pattern[i + 1]);
            i += 2;
        }
        for (unsigned c = low; c <= high; ++c)
            set.set(c);
    }
    for (unsigned c = 'a'; fold_case_ && c <= 'z'; ++c) {
        if (set[c] || set[c - 'a' + 'A'])
            set.set(c).set(c - 'a' + 'A');
    }
    tokens_.push_back({Kind::set, 0, static_cast<std::uint16_t>(sets_.size())});
    sets_.push_back(inverted ? ~set : set);
    at = end;
    return true;
}

bool Glob::fits(const Token& token, char c) const {
    switch (token.kind) {
    case Kind::literal: return token.literal == (fold_case_ ? fold(c) : c);
    case Kind::any: return true;
    case Kind::set: return sets_[token.set][static_cast<unsigned char>(c)];
    case Kind::star: return false;
    }
    return false;
}

// Going back to the last star only is enough, since a star may take anything: time is |text| ×
// |pattern|.
bool Glob::match(std::string_view text) const {
    if (extended_)
        return extended_->match(text);
    std::size_t token = 0, at = 0, star = tokens_.size(), resume = 0;
    while (at < text.size()) {
        if (token < tokens_.size() && tokens_[token].kind == Kind::star) {
            star = token++;
            resume = at;
        } else if (token < tokens_.size() && fits(tokens_[token], text[at])) {
            ++token;
            ++at;
        } else if (star != tokens_.size()) {
            token = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    while (token < tokens_.size() && tokens_[token].kind == Kind::star)
        ++token;
    return token == tokens_.size();
}

} // namespace tiercel::filter
