// SPDX-License-Identifier: Apache-2.0
//
// Parser: turns the text of a condition into its tree
//
// The language is Falco's:
//
//     or-expr    = and-expr { "or" and-expr }
//     and-expr   = not-expr { "and" not-expr }
//     not-expr   = { "not" } ( "(" or-expr ")" | comparison | macro )
//     comparison = operand ( "exists" | operator value | list-operator list
//                          | operator quantifier list )
//     operand    = field [ "[" argument "]" ] | call
//     call       = transformer "(" part { "," part } ")" [ "[" argument "]" ]
//     part       = operand | quoted string | number | "(" [ part { "," part } ] ")"
//     value      = bare word | quoted string | "val(" field ")" | call
//     list       = "(" [ value { "," value } ] ")" | list name | "val(" field ")" | call
//
// Operators, quantifiers and transformers are those of operators.def and transformers.def. `and`,
// `or` and `not` need a blank or a parenthesis after them; <, <=, > and >= need a number on the
// right side. The parser reports the first syntax error only, because it cannot know how the
// condition was meant to go on.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

struct SyntaxError {
    Span span;
    std::string message;
    std::string hint; // a suggestion; may be empty
};

// The depth to which parentheses and transformers may nest.
inline constexpr unsigned kMaxDepth = 200;
// The number of comparisons and macros in a condition.
inline constexpr unsigned kMaxChecks = 50'000;

std::variant<Node, SyntaxError> parse(std::string_view condition);

// Parses a field or a transformer at the start of `text`, as output templates have them after '%',
// and sets `length` to the number of bytes that it takes.
std::variant<Operand, SyntaxError> parse_operand(std::string_view text, std::size_t& length);

// Removes the quotes from one list item as it stands in YAML: an item may have quotes of its own
// (`'"a b"'`). An item with a blank and no quotes counts as quoted. Returns false if a quote is not
// closed or text follows it.
bool unquote_item(std::string_view item, std::string& value, bool& quoted);

} // namespace tiercel::filter
