// SPDX-License-Identifier: Apache-2.0
//
// Comparison: one comparison of a condition with its right side made ready: numbers parsed,
// networks masked, patterns compiled. It is the meaning of the operators; whoever merges
// comparisons for speed must give the same answers.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/language/field.h"
#include "analyzer/match/sets/glob.h"
#include "analyzer/match/sets/path.h"
#include "analyzer/match/sets/table.h"

namespace tiercel::filter {

struct ComparisonProblem {
    std::string message;
    std::string hint;
    std::size_t value = SIZE_MAX; // which value is wrong; SIZE_MAX: the operator
};

class Comparison {
  public:
    // Left side of type `type`; the right side is `values`, lists already resolved.
    static std::optional<Comparison> make(ValueType type, Plurality plurality, Op op,
                                          const std::vector<std::string>& values,
                                          ComparisonProblem& problem);
    // Both sides are fields, of the same type.
    static std::optional<Comparison> make_between(ValueType type, Plurality plurality, Op op,
                                                  ComparisonProblem& problem);

    bool holds(const Values& left) const;
    bool holds(const Values& left, const Values& right) const;

    // The same with `=` in place of `!=`.
    Comparison as_equality() const {
        Comparison other = *this;
        other.op_ = Op::eq;
        return other;
    }

    Op op() const { return op_; }
    ValueType type() const { return type_; }
    std::int64_t number() const { return number_; } // of a comparison with one number
    Plurality plurality() const { return plurality_; }
    // The values that =, in, startswith… look for, as bytes (numbers as their 8 bytes).
    const std::vector<std::string>& literals() const { return literals_; }
    // What tells it from others on the same field.
    std::string key() const;

  private:
    struct Network {
        std::array<std::uint8_t, 16> address{};
        std::size_t length = 0; // 4 or 16
        unsigned bits = 0;
    };

    bool parse_values(const std::vector<std::string>& values, ComparisonProblem& problem);
    bool parse_value(const std::string& text, std::string& wrong);
    bool parse_network(const std::string& text);
    bool parse_pattern(const std::string& text, std::string& wrong);
    bool is_number() const;
    bool holds_one(const Value& value) const;
    bool holds_number(const Value& value) const;
    bool holds_text(std::string_view text) const;
    bool holds_network(std::string_view address) const;
    bool equals_any(std::string_view text) const;
    bool compare(const Value& left, const Value& right) const;

    Op op_ = Op::exists;
    ValueType type_ = ValueType::text;
    Plurality plurality_ = Plurality::single;
    std::vector<std::string> literals_;
    std::int64_t number_ = 0; // of one value
    double real_ = 0;
    std::vector<Network> networks_;
    std::shared_ptr<const Glob> glob_;
    std::shared_ptr<const Regex> regex_;
    std::shared_ptr<const PathSet> paths_;
    std::shared_ptr<const LiteralTable> table_; // `in` with many values
};

// The operators that a type understands.
bool op_fits(Op op, ValueType type, Plurality plurality);
std::string_view type_description(ValueType type);
// A whole number in decimal or 0x…; fractions and exponents where the result is whole.
bool parse_whole(std::string_view text, bool is_signed, std::int64_t& number);
std::string number_key(std::int64_t number);

} // namespace tiercel::filter
