// SPDX-License-Identifier: Apache-2.0
//
// ordered(): compares two values of an ordered type as an operator says.
#pragma once

#include "analyzer/language/ast.h"

namespace tiercel::filter {

// Returns false for operators that do not compare by order or equality. The operators of lists
// compare with one value of the list.
template <typename T>
bool ordered(Op op, const T& a, const T& b) {
    switch (op) {
    case Op::eq:
    case Op::in:
    case Op::intersects: return a == b;
    case Op::ne: return a != b;
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    case Op::ge: return a >= b;
    case Op::exists:
    case Op::contains:
    case Op::icontains:
    case Op::bcontains:
    case Op::startswith:
    case Op::bstartswith:
    case Op::endswith:
    case Op::glob:
    case Op::iglob:
    case Op::regex:
    case Op::pmatch: break;
    }
    return false;
}

} // namespace tiercel::filter
