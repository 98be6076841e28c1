// SPDX-License-Identifier: Apache-2.0
//
// show(): a condition's tree as one line of text, so that tests can say what they expect of it.
#pragma once

#include <string>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

inline std::string show(const Operand& operand) {
    if (operand.is_literal)
        return '\'' + operand.name + '\'';
    if (operand.transform == Transform::none)
        return operand.name + (operand.has_argument ? '[' + operand.argument + ']' : std::string());
    std::string text(transform_name(operand.transform));
    text += '(';
    for (const Operand& inner : operand.operands)
        text += (text.back() == '(' ? "" : ",") + show(inner);
    return text + ')';
}

inline std::string show(const Node& node) {
    switch (node.kind) {
    case Node::Kind::macro: return node.macro;
    case Node::Kind::negation: return "(not " + show(node.children[0]) + ')';
    case Node::Kind::check: {
        const Check& check = node.check[0];
        std::string text = '{' + show(check.left) + ' ' + std::string(op_name(check.op));
        for (const Literal& value : check.values)
            text += (value.quoted ? " '" : " ") + value.text + (value.quoted ? "'" : "");
        for (const Operand& right : check.right)
            text += ' ' + show(right);
        return text + '}';
    }
    default: {
        std::string text = node.kind == Node::Kind::all ? "(and" : "(or";
        for (const Node& child : node.children)
            text += ' ' + show(child);
        return text + ')';
    }
    }
}

} // namespace tiercel::filter
