// SPDX-License-Identifier: Apache-2.0
#include "analyzer/language/ast.h"

#include <algorithm>
#include <array>

namespace tiercel::filter {

namespace {

constexpr auto kOperators = std::to_array<OpInfo>({
#define OPERATOR(id, spelling, right, fits, description)                                           \
    {Op::id, spelling, RightSide::right, fits, description},
#define OPERATOR_ALIAS(id, spelling)
#define QUANTIFIER(id, spelling, description)
#include "analyzer/language/operators.def"
#undef OPERATOR
#undef OPERATOR_ALIAS
#undef QUANTIFIER
});

struct Alias {
    Op op;
    std::string_view name;
};
constexpr auto kAliases = std::to_array<Alias>({
#define OPERATOR(id, spelling, right, fits, description)
#define OPERATOR_ALIAS(id, spelling) {Op::id, spelling},
#define QUANTIFIER(id, spelling, description)
#include "analyzer/language/operators.def"
#undef OPERATOR
#undef OPERATOR_ALIAS
#undef QUANTIFIER
});

constexpr auto kQuantifiers = std::to_array<QuantifierInfo>({
#define OPERATOR(id, spelling, right, fits, description)
#define OPERATOR_ALIAS(id, spelling)
#define QUANTIFIER(id, spelling, description) {Quantifier::id, spelling, description},
#include "analyzer/language/operators.def"
#undef OPERATOR
#undef OPERATOR_ALIAS
#undef QUANTIFIER
});

constexpr auto kTransformers = std::to_array<TransformInfo>({
#define TRANSFORMER(id, form, takes, synopsis, description)                                        \
    {Transform::id, #id, TransformForm::form, takes, synopsis, description},
#include "analyzer/language/transformers.def"
#undef TRANSFORMER
});

} // namespace

std::span<const OpInfo> operators() {
    return kOperators;
}

const OpInfo& info(Op op) {
    return kOperators[static_cast<std::size_t>(op)];
}

bool find_op(std::string_view spelling, Op& op) {
    const auto* const found = std::ranges::find(kOperators, spelling, &OpInfo::name);
    if (found != kOperators.end()) {
        op = found->op;
        return true;
    }
    const auto* const alias = std::ranges::find(kAliases, spelling, &Alias::name);
    if (alias == kAliases.end())
        return false;
    op = alias->op;
    return true;
}

std::span<const QuantifierInfo> quantifiers() {
    return kQuantifiers;
}

std::string_view quantifier_name(Quantifier quantifier) {
    return quantifier == Quantifier::none
               ? std::string_view()
               : kQuantifiers[static_cast<std::size_t>(quantifier) - 1].name;
}

bool find_quantifier(std::string_view spelling, Quantifier& quantifier) {
    const auto* const found = std::ranges::find(kQuantifiers, spelling, &QuantifierInfo::name);
    if (found == kQuantifiers.end())
        return false;
    quantifier = found->quantifier;
    return true;
}

std::span<const TransformInfo> transformers() {
    return kTransformers;
}

const TransformInfo& info(Transform transform) {
    return kTransformers[static_cast<std::size_t>(transform) - 1];
}

std::string_view transform_name(Transform transform) {
    return transform == Transform::none ? std::string_view() : info(transform).name;
}

bool find_transform(std::string_view name, Transform& transform) {
    const auto* const found = std::ranges::find(kTransformers, name, &TransformInfo::name);
    if (found == kTransformers.end())
        return false;
    transform = found->transform;
    return true;
}

} // namespace tiercel::filter
