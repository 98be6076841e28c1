// SPDX-License-Identifier: Apache-2.0
//
// Comparison: one comparison of a condition with its right side prepared
//
// Numbers are parsed, networks masked, patterns compiled. This class defines the meaning of the
// operators: Program merges comparisons for speed and must give the same answers.
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
    std::size_t value = SIZE_MAX; // index of the wrong value; SIZE_MAX: the operator is wrong
};

class Comparison {
  public:
    // Compares the field `use` with `values`, in which lists are already resolved.
    static std::optional<Comparison> make(const FieldUse& use, Op op,
                                          const std::vector<std::string>& values,
                                          ComparisonProblem& problem);
    // Compares two fields of the same type.
    static std::optional<Comparison> make_between(const FieldUse& use, Op op,
                                                  ComparisonProblem& problem);

    bool holds(const Values& left) const;
    bool holds(const Values& left, const Values& right) const;

    // The same comparison with `=` in place of `!=`.
    Comparison as_equality() const {
        Comparison other = *this;
        other.op_ = Op::eq;
        return other;
    }

    Op op() const { return op_; }
    ValueType type() const { return type_; }
    std::int64_t number() const { return number_; } // of a comparison with one number
    Plurality plurality() const { return plurality_; }
    // The values on the right side, as bytes (a number as its 8 bytes).
    const std::vector<std::string>& literals() const { return literals_; }
    // Comparisons of the same field with equal keys are the same.
    std::string key() const;

  private:
    Comparison(const FieldUse& use, Op op)
        : op_(op), type_(use.type), plurality_(use.plurality), bits_(use.bits),
          is_port_(use.is_port) {}

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

    Op op_;
    ValueType type_;
    Plurality plurality_;
    std::uint8_t bits_;
    bool is_port_;
    std::vector<std::string> literals_;
    std::int64_t number_ = 0; // of one value
    double real_ = 0;
    std::vector<Network> networks_;
    std::shared_ptr<const Glob> glob_;
    std::shared_ptr<const Regex> regex_;
    std::shared_ptr<const PathSet> paths_;
    std::shared_ptr<const LiteralTable> table_; // `in` with many values
};

// The row of types in operators.def and transformers.def that the field belongs to.
TypeSet type_set(const FieldUse& use);
std::string_view type_description(ValueType type);
std::string type_description(const FieldUse& use); // "a list of …" for lists
// Parses a whole number: decimal, 0x…, or with a fraction or exponent that leave it whole.
bool parse_whole(std::string_view text, bool is_signed, std::int64_t& number);
std::string number_key(std::int64_t number);

} // namespace tiercel::filter
