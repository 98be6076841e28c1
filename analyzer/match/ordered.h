// SPDX-License-Identifier: Apache-2.0
//
// The comparison that an operator stands for, of any type that orders.
#pragma once

#include "analyzer/language/ast.h"

namespace tiercel::filter {

// False for operators that do not compare by order or equality. A set's operators compare with one
// of its members.
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
    default: return false;
    }
}

} // namespace tiercel::filter
