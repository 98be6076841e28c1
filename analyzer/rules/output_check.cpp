// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/output_check.h"

#include <algorithm>

namespace tiercel::rules {

std::function<std::optional<OutputProblem>(const std::string&)>
check_outputs_with(filter::Fields& fields) {
    return [&fields](const std::string& output) -> std::optional<OutputProblem> {
        filter::Format::Problem problem;
        if (filter::Format::compile(output, fields, problem))
            return std::nullopt;
        // The only thing that can be wrong is a '%' that no known field follows.
        const std::size_t end = output.find_first_of(" \t\n,;|)", problem.offset);
        const std::size_t length = std::min(end, output.size()) - problem.offset;
        return OutputProblem{problem.offset, length, problem.message, problem.hint, true};
    };
}

} // namespace tiercel::rules
