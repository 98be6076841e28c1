// SPDX-License-Identifier: Apache-2.0
//
// show(): a condition's tree as one line of text, for the expectations of tests.
#pragma once

#include <string>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

inline std::string show(const Operand& operand) {
    const std::string argument =
        operand.has_argument ? '[' + operand.argument + ']' : std::string();
    if (operand.kind == Operand::Kind::literal)
        return '\'' + operand.name + '\'';
    if (operand.kind == Operand::Kind::field)
        return operand.name + argument;
    std::string text(transform_name(operand.transform));
    text += '(';
    for (const Operand& inner : operand.operands)
        text += (&inner == operand.operands.data() ? "" : ",") + show(inner);
    return text + ')' + argument;
}

inline std::string show(const Node& node) {
    switch (node.kind) {
    case Node::Kind::macro: return node.macro;
    case Node::Kind::negation: return "(not " + show(node.children[0]) + ')';
    case Node::Kind::check: {
        const Check& check = node.check[0];
        std::string text = '{' + show(check.left) + ' ' + std::string(op_name(check.op));
        if (check.quantifier != Quantifier::none)
            text += ' ' + std::string(quantifier_name(check.quantifier));
        for (const Literal& value : check.values)
            text += (value.quoted ? " '" : " ") + value.text + (value.quoted ? "'" : "");
        for (const Operand& right : check.right)
            text += ' ' + show(right);
        return text + '}';
    }
    case Node::Kind::all:
    case Node::Kind::any: {
        std::string text = node.kind == Node::Kind::all ? "(and" : "(or";
        for (const Node& child : node.children)
            text += ' ' + show(child);
        return text + ')';
    }
    }
    return {};
}

} // namespace tiercel::filter
