// SPDX-License-Identifier: Apache-2.0
//
// Ast: a condition as it was written
//
// The tree has one node for each and/or/not, each comparison and each macro name. Nothing is
// resolved yet: fields, macros and lists are still names. Every node holds its place in the text of
// the condition, so that an error message can point at it.
//
// The tree is a plain value that can be copied and moved. The parser bounds its depth.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::filter {

// A range of the condition's text, in bytes.
struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

// Sets of value types, for the columns of operators.def and transformers.def.
using TypeSet = std::uint8_t;
inline constexpr TypeSet kTextType = 1 << 0;
inline constexpr TypeSet kBytesType = 1 << 1;
inline constexpr TypeSet kNumberType = 1 << 2;
inline constexpr TypeSet kBooleanType = 1 << 3;
inline constexpr TypeSet kAddressType = 1 << 4; // addresses and networks
inline constexpr TypeSet kListType = 1 << 5;    // a field with several values
inline constexpr TypeSet kOrderedTypes = kTextType | kNumberType;
inline constexpr TypeSet kSingleTypes =
    kTextType | kBytesType | kNumberType | kBooleanType | kAddressType;
inline constexpr TypeSet kEveryType = kSingleTypes | kListType;

enum class RightSide : std::uint8_t { nothing, value, number, list };

enum class Op : std::uint8_t {
#define OPERATOR(id, spelling, right, fits, description) id,
#define OPERATOR_ALIAS(id, spelling)
#define QUANTIFIER(id, spelling, description)
#include "analyzer/language/operators.def"
#undef OPERATOR
#undef OPERATOR_ALIAS
#undef QUANTIFIER
};

struct OpInfo {
    Op op;
    std::string_view name;
    RightSide right;
    TypeSet fits;
    std::string_view description;
};
// One row for each operator, in the order of enum Op.
std::span<const OpInfo> operators();
const OpInfo& info(Op op);
inline std::string_view op_name(Op op) {
    return info(op).name;
}
// Returns true if the right side of `op` is a list: in, intersects, pmatch.
inline bool takes_list(Op op) {
    return info(op).right == RightSide::list;
}
// Finds the operator with the given spelling; returns false if there is none.
bool find_op(std::string_view spelling, Op& op);

// How a comparison with a list of values combines: `none` for comparisons with one value.
enum class Quantifier : std::uint8_t {
    none,
#define OPERATOR(id, spelling, right, fits, description)
#define OPERATOR_ALIAS(id, spelling)
#define QUANTIFIER(id, spelling, description) id,
#include "analyzer/language/operators.def"
#undef OPERATOR
#undef OPERATOR_ALIAS
#undef QUANTIFIER
};
struct QuantifierInfo {
    Quantifier quantifier;
    std::string_view name;
    std::string_view description;
};
std::span<const QuantifierInfo> quantifiers();
std::string_view quantifier_name(Quantifier quantifier);
bool find_quantifier(std::string_view spelling, Quantifier& quantifier);

enum class Transform : std::uint8_t {
    none,
#define TRANSFORMER(id, form, takes, synopsis, description) id,
#include "analyzer/language/transformers.def"
#undef TRANSFORMER
};

// What stands within the parentheses of a transformer.
enum class TransformForm : std::uint8_t {
    field,              // one field
    one,                // one operand
    several,            // two or more operands
    separator_and_list, // an operand, and a list of operands
    list_and_options,   // a list of operands, and an operand
};

struct TransformInfo {
    Transform transform;
    std::string_view name;
    TransformForm form;
    TypeSet takes;
    std::string_view synopsis;
    std::string_view description;
};
// One row for each transformer, in the order of enum Transform without `none`.
std::span<const TransformInfo> transformers();
const TransformInfo& info(Transform transform);
std::string_view transform_name(Transform transform);
bool find_transform(std::string_view name, Transform& transform);

// A value as written. Only an unquoted value may be the name of a list.
struct Literal {
    std::string text; // without its quotes and escapes
    bool quoted = false;
    Span span;
};

// What is compared: a field, or a transformer applied to operands. Literals and lists stand only
// within transformers.
struct Operand {
    enum class Kind : std::uint8_t { field, literal, list, call };
    Kind kind = Kind::field;
    Transform transform = Transform::none; // call
    std::string name;                      // field: without its argument; literal: the text
    std::string argument;                  // field and call: the text in brackets
    bool has_argument = false;
    std::vector<Operand> operands; // list, call
    Span span;
};

struct Check {
    Operand left;
    Op op = Op::exists;
    Quantifier quantifier = Quantifier::none;
    std::vector<Literal> values; // one value, or those of a list
    // The right side, if it is val(field) or a transformer: one operand. Empty otherwise.
    std::vector<Operand> right;
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
