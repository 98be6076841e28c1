// SPDX-License-Identifier: Apache-2.0
#include "analyzer/language/ast.h"

#include <array>
#include <utility>

namespace tiercel::filter {

namespace {

// In the order of enum Op.
constexpr std::array<std::string_view, 19> kOps = {
    "exists",   "=",         "!=",        "<",          "<=",          ">",        ">=",
    "contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith", "glob",
    "iglob",    "regex",     "in",        "intersects", "pmatch",
};
static_assert(static_cast<std::size_t>(Op::pmatch) + 1 == kOps.size());

// In the order of enum Transform.
constexpr std::array<std::string_view, 9> kTransforms = {
    "", "tolower", "toupper", "b64", "basename", "len", "join", "concat", "val",
};
static_assert(static_cast<std::size_t>(Transform::val) + 1 == kTransforms.size());

} // namespace

std::string_view op_name(Op op) {
    return kOps[static_cast<std::size_t>(op)];
}

bool takes_list(Op op) {
    return op == Op::in || op == Op::intersects || op == Op::pmatch;
}

bool find_op(std::string_view spelling, Op& op) {
    if (spelling == "==") {
        op = Op::eq;
        return true;
    }
    for (std::size_t i = 0; i < kOps.size(); ++i) {
        if (kOps[i] == spelling) {
            op = static_cast<Op>(i);
            return true;
        }
    }
    return false;
}

std::string_view transform_name(Transform transform) {
    return kTransforms[static_cast<std::size_t>(transform)];
}

bool find_transform(std::string_view name, Transform& transform) {
    for (std::size_t i = 1; i < kTransforms.size(); ++i) {
        if (kTransforms[i] == name) {
            transform = static_cast<Transform>(i);
            return true;
        }
    }
    return false;
}

} // namespace tiercel::filter
