// SPDX-License-Identifier: Apache-2.0
//
// Parser: turns the text of a condition into its tree. The language is Falco's:
//
//     or-expr    = and-expr { "or" and-expr }
//     and-expr   = not-expr { "and" not-expr }
//     not-expr   = { "not" } ( "(" or-expr ")" | comparison | macro )
//     comparison = operand ( "exists" | operator value | list-operator list )
//     operand    = field [ "[" argument "]" ] | transformer "(" operand { "," operand } ")"
//     value      = bare word | quoted string | "val(" field ")" | transformer "(" … ")"
//     list       = "(" [ value { "," value } ] ")" | list name
//
// `and`, `or` and `not` need a blank or a parenthesis after them; <, <=, > and >= need a number on
// the right. A condition has at most one syntax error reported: what follows it is guesswork.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

struct SyntaxError {
    Span span;
    std::string message; // what was expected or is wrong
    std::string hint;    // what may have been meant; empty: no idea
};

// Parentheses, transformers and chains of these nest at most this deep.
inline constexpr unsigned kMaxDepth = 200;

std::variant<Node, SyntaxError> parse(std::string_view condition);

// Takes the quotes off one list item as it stands in YAML: items may carry their own (`'"a b"'`).
// Items with a blank but no quotes are taken as if quoted. False: the quoting is broken.
bool unquote_item(std::string_view item, std::string& value, bool& quoted);

} // namespace tiercel::filter
