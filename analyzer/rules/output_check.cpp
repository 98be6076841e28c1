// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/output_check.h"

#include <algorithm>

namespace tiercel::rules {

std::function<std::optional<OutputProblem>(const std::string&)>
check_outputs_with(filter::Fields& fields) {
    return [&fields](const std::string& output) -> std::optional<OutputProblem> {
        filter::Format::Problem problem;
        if (const auto format = filter::Format::compile(output, fields, problem)) {
            if (!format->has_container_info())
                return std::nullopt;
            return OutputProblem{output.find("%container.info"),
                                 15,
                                 "%container.info is old; it prints the container's id and name",
                                 "write %container.id and %container.name",
                                 false,
                                 true};
        }
        // The only possible mistake is a '%' without a valid field after it.
        const std::size_t end = output.find_first_of(" \t\n,;|)", problem.offset);
        const std::size_t length = std::min(end, output.size()) - problem.offset;
        return OutputProblem{problem.offset, length, problem.message, problem.hint, true};
    };
}

} // namespace tiercel::rules
