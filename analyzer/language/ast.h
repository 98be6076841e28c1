// SPDX-License-Identifier: Apache-2.0
//
// Ast: a condition as it was written. One node for each and/or/not, each comparison and each macro
// name; nothing is resolved yet: fields, macros and lists are still names. Every node remembers
// where in the condition's text it stands, so that whoever resolves it can point at it.
//
// The tree is a plain value: copy, move and drop it freely. Its depth is bounded by the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::filter {

// A stretch of the condition's text, in bytes.
struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

enum class Op : std::uint8_t {
    exists,
    eq,
    ne,
    lt,
    le,
    gt,
    ge,
    contains,
    icontains,
    bcontains,
    startswith,
    bstartswith,
    endswith,
    glob,
    iglob,
    regex,
    in,
    intersects,
    pmatch,
};
std::string_view op_name(Op op);
// Whether the right side is a list: in, intersects, pmatch.
bool takes_list(Op op);
// The operator of that spelling; false when there is none.
bool find_op(std::string_view spelling, Op& op);

enum class Transform : std::uint8_t {
    none,
    tolower,
    toupper,
    b64,
    basename,
    len,
    join,
    concat,
    val
};
std::string_view transform_name(Transform transform);
bool find_transform(std::string_view name, Transform& transform);

// A value as written. Only unquoted ones may be names of lists.
struct Literal {
    std::string text; // quotes and escapes already taken off
    bool quoted = false;
    Span span;
};

// What is compared: a field, or a transformer applied to operands. A literal only within join and
// concat.
struct Operand {
    Transform transform = Transform::none; // none: a field, or a literal where `is_literal`
    bool is_literal = false;
    std::string name;     // field: without its argument; literal: the text
    std::string argument; // field: what stands in brackets
    bool has_argument = false;
    std::vector<Operand> operands; // of a transformer
    Span span;
};

struct Check {
    Operand left;
    Op op = Op::exists;
    std::vector<Literal> values; // one for the operators that take one
    std::vector<Operand>
        right; // one when the right side is val(field) or a transformer; else empty
};

struct Node {
    enum class Kind : std::uint8_t { all, any, negation, check, macro };
    Kind kind = Kind::all;
    std::vector<Node> children; // all, any: two or more; negation: one
    std::vector<Check> check;   // check: one
    std::string macro;
    Span span;
};

} // namespace tiercel::filter
