// SPDX-License-Identifier: Apache-2.0
//
// Condition: one condition by itself, without lists and macros, as the command line gives it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analyzer/fields/fields.h"
#include "analyzer/match/matcher.h"

namespace tiercel::filter {

class Condition {
  public:
    struct Problem {
        std::size_t offset = 0; // into the text
        std::size_t length = 1;
        std::string message;
        std::string hint; // may be empty
    };

    // The condition, or everything that is wrong with it.
    static std::variant<Condition, std::vector<Problem>> compile(std::string_view text,
                                                                 Fields& fields);

    bool holds(const event::EventView& event, EventFields& values) {
        return !matcher_.match(kind_of(event), values, false).empty();
    }
    const Program& program() const { return *program_; }

  private:
    explicit Condition(std::shared_ptr<const Program> program)
        : program_(std::move(program)), matcher_(program_) {}

    std::shared_ptr<const Program> program_;
    Matcher matcher_;
};

} // namespace tiercel::filter
