// SPDX-License-Identifier: Apache-2.0
#include "analyzer/language/list.h"

#include "analyzer/language/ast.h"

namespace tiercel::filter {

namespace {

constexpr std::size_t kNameWidth = 30;

void append_row(std::string& out, std::string_view name, std::string_view description) {
    out += name;
    out.append(name.size() < kNameWidth ? kNameWidth - name.size() : 1, ' ');
    out += description;
    out += '\n';
}

} // namespace

std::string list_operators() {
    std::string out = "# Operators\n";
    for (const OpInfo& op : operators())
        append_row(out, op.name, op.description);
    out += "\n# Quantifiers, between an operator and a list: contains anyof (a, b)\n";
    for (const QuantifierInfo& quantifier : quantifiers())
        append_row(out, quantifier.name, quantifier.description);
    out += "\n# Transformers\n";
    for (const TransformInfo& transformer : transformers())
        append_row(out, transformer.synopsis, transformer.description);
    return out;
}

} // namespace tiercel::filter
