// SPDX-License-Identifier: Apache-2.0
//
// Comparison: parses the right side by the type of the field, and compares values with it.
#include "analyzer/match/comparison.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "analyzer/match/ordered.h"
#include "analyzer/match/services.h"
#include "analyzer/match/sets/text.h"

namespace tiercel::filter {

namespace {

constexpr std::size_t kLinear = 4; // lists up to this size are compared value by value
constexpr double kLargestExact = 9007199254740992.0; // 2^53: a double holds all whole numbers below

bool is_membership(Op op) {
    return op == Op::in || op == Op::intersects;
}

bool related(Op op, std::string_view text, std::string_view literal) {
    switch (op) {
    case Op::contains:
    case Op::bcontains: return text.find(literal) != std::string_view::npos;
    case Op::icontains: return find_folded(text, literal) != std::string_view::npos;
    case Op::startswith:
    case Op::bstartswith: return text.starts_with(literal);
    case Op::endswith: return text.ends_with(literal);
    case Op::glob:
    case Op::iglob: return Glob(std::string(literal), op == Op::iglob).match(text);
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::in:
    case Op::intersects: return ordered(op, text, literal);
    case Op::exists:
    case Op::regex:
    case Op::pmatch: break;
    }
    return false;
}

bool decode_hex(const std::string& hex, std::string& bytes) {
    if (hex.size() % 2 != 0)
        return false;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        unsigned byte = 0;
        const auto [stop, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
        if (error != std::errc() || stop != hex.data() + i + 2)
            return false;
        bytes += static_cast<char>(byte);
    }
    return true;
}

bool same_network(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
    const unsigned whole = bits / 8;
    if (std::memcmp(a, b, whole) != 0)
        return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

} // namespace

std::string number_key(std::int64_t number) {
    std::string key(sizeof number, '\0');
    std::memcpy(key.data(), &number, sizeof number);
    return key;
}

bool parse_whole(std::string_view text, bool is_signed, std::int64_t& number) {
    if (text.starts_with('+'))
        text.remove_prefix(1);
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const char* first = text.data() + (hex ? 2 : 0);
    const char* last = text.data() + text.size();
    if (first == last)
        return false;
    std::uint64_t plain = 0;
    if (const auto [stop, error] = std::from_chars(first, last, plain, hex ? 16 : 10);
        error == std::errc() && stop == last) {
        number = static_cast<std::int64_t>(plain);
        return !is_signed || number >= 0;
    }
    if (const auto [stop, error] = std::from_chars(first, last, number);
        !hex && error == std::errc() && stop == last)
        return true; // a negative number
    double real = 0;
    const auto [stop, error] = std::from_chars(first, last, real);
    if (hex || error != std::errc() || stop != last || real != std::floor(real) ||
        std::abs(real) > kLargestExact)
        return false;
    number = static_cast<std::int64_t>(real);
    return true;
}

std::string_view type_description(ValueType type) {
    switch (type) {
    case ValueType::text: return "text";
    case ValueType::bytes: return "bytes";
    case ValueType::signed_number:
    case ValueType::unsigned_number: return "a whole number";
    case ValueType::boolean: return "true or false";
    case ValueType::real: return "a number";
    case ValueType::address: return "an IP address";
    case ValueType::network: return "an IP address or network";
    }
    return "";
}

TypeSet type_set(const FieldUse& use) {
    if (use.plurality == Plurality::list)
        return kListType;
    switch (use.type) {
    case ValueType::text: return kTextType;
    case ValueType::bytes: return kBytesType;
    case ValueType::signed_number:
    case ValueType::unsigned_number:
    case ValueType::real: return kNumberType;
    case ValueType::boolean: return kBooleanType;
    case ValueType::address:
    case ValueType::network: return kAddressType;
    }
    return 0;
}

std::string type_description(const FieldUse& use) {
    return use.plurality == Plurality::list ? "a list of " + std::string(type_description(use.type))
                                            : std::string(type_description(use.type));
}

bool Comparison::is_number() const {
    return type_ == ValueType::signed_number || type_ == ValueType::unsigned_number ||
           type_ == ValueType::boolean;
}

std::optional<Comparison> Comparison::make(const FieldUse& use, Op op,
                                           const std::vector<std::string>& values,
                                           ComparisonProblem& problem) {
    Comparison made(use, op);
    if ((info(op).fits & type_set(use)) == 0) {
        problem.message =
            "'" + std::string(op_name(op)) + "' does not apply to " + type_description(use);
        return std::nullopt;
    }
    if (!made.parse_values(values, problem))
        return std::nullopt;
    return made;
}

std::optional<Comparison> Comparison::make_between(const FieldUse& use, Op op,
                                                   ComparisonProblem& problem) {
    const bool prepared = op == Op::regex || op == Op::pmatch;
    if (prepared || (info(op).fits & type_set(use)) == 0) {
        problem.message = "'" + std::string(op_name(op)) + "' cannot compare two fields that are " +
                          type_description(use);
        return std::nullopt;
    }
    return Comparison(use, op);
}

bool Comparison::parse_values(const std::vector<std::string>& values, ComparisonProblem& problem) {
    if (op_ == Op::pmatch) {
        auto paths = std::make_shared<PathSet>();
        for (const std::string& path : values)
            paths->add(path);
        literals_ = values;
        paths_ = std::move(paths);
        return true;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::string wrong;
        if (!parse_value(values[i], wrong)) {
            problem.value = i;
            problem.message =
                wrong.empty() ? "'" + values[i] + "' is not " + std::string(type_description(type_))
                              : wrong;
            return false;
        }
    }
    if (is_membership(op_) && literals_.size() > kLinear) {
        auto table = std::make_shared<LiteralTable>();
        for (const std::string& literal : literals_)
            table->add(literal);
        table->freeze();
        table_ = std::move(table);
    }
    return true;
}

bool Comparison::parse_value(const std::string& text, std::string& wrong) {
    switch (type_) {
    case ValueType::text:
    case ValueType::bytes: return parse_pattern(text, wrong);
    case ValueType::signed_number:
    case ValueType::unsigned_number:
        if (!parse_whole(text, type_ == ValueType::signed_number, number_) &&
            !(is_port_ && find_service_port(text, number_)))
            return false;
        if (type_ == ValueType::unsigned_number && number_ < 0 && bits_ < 64)
            number_ &= (std::int64_t{1} << bits_) - 1; // -1 is the largest number of the field
        literals_.push_back(number_key(number_));
        return true;
    case ValueType::boolean:
        number_ = text == "true" ? 1 : 0;
        literals_.push_back(number_key(number_));
        return text == "true" || text == "false";
    case ValueType::real: {
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), real_);
        literals_.emplace_back(reinterpret_cast<const char*>(&real_), sizeof real_);
        return error == std::errc() && stop == text.data() + text.size();
    }
    case ValueType::address:
    case ValueType::network: literals_.push_back(text); return parse_network(text);
    }
    return false;
}

bool Comparison::parse_pattern(const std::string& text, std::string& wrong) {
    literals_.push_back(text);
    if (op_ == Op::glob || op_ == Op::iglob) {
        auto glob = std::make_shared<Glob>(text, op_ == Op::iglob);
        wrong = glob->error();
        glob_ = std::move(glob);
    } else if (op_ == Op::regex) {
        auto regex = std::make_shared<Regex>(text);
        wrong = regex->error().empty() ? "" : "invalid regular expression: " + regex->error();
        regex_ = std::move(regex);
    } else if (op_ == Op::bcontains || op_ == Op::bstartswith) {
        literals_.back().clear();
        if (!decode_hex(text, literals_.back()))
            wrong = "'" + text + "' is not a sequence of bytes in hexadecimal";
    }
    return wrong.empty();
}

bool Comparison::parse_network(const std::string& text) {
    const std::size_t slash = text.find('/');
    if (slash != std::string::npos && type_ == ValueType::address)
        return false;
    Network network;
    const std::string address = text.substr(0, slash);
    if (inet_pton(AF_INET, address.c_str(), network.address.data()) == 1)
        network.length = 4;
    else if (inet_pton(AF_INET6, address.c_str(), network.address.data()) == 1)
        network.length = 16;
    else
        return false;
    network.bits = static_cast<unsigned>(network.length * 8);
    if (slash != std::string::npos) {
        unsigned bits = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
        if (error != std::errc() || stop != end || bits > network.bits)
            return false;
        network.bits = bits;
    }
    networks_.push_back(network);
    return true;
}

std::string Comparison::key() const {
    std::string key(op_name(op_ == Op::eq ? Op::in : op_)); // `= x` means `in (x)`
    key += static_cast<char>('0' + static_cast<int>(type_));
    std::vector<std::string> values = literals_;
    if (takes_list(op_)) { // the order of a list has no meaning
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
    }
    for (const std::string& value : values)
        key += std::to_string(value.size()) + ':' + value;
    return key;
}

bool Comparison::equals_any(std::string_view text) const {
    if (table_)
        return table_->find(text) != LiteralTable::kNone;
    return std::find(literals_.begin(), literals_.end(), text) != literals_.end();
}

bool Comparison::holds_number(const Value& value) const {
    if (is_membership(op_))
        return equals_any({reinterpret_cast<const char*>(&value.number), sizeof value.number});
    if (type_ == ValueType::unsigned_number)
        return ordered(op_, static_cast<std::uint64_t>(value.number),
                       static_cast<std::uint64_t>(number_));
    return ordered(op_, value.number, number_);
}

bool Comparison::holds_text(std::string_view text) const {
    switch (op_) {
    case Op::in:
    case Op::intersects: return equals_any(text);
    case Op::glob:
    case Op::iglob: return glob_->match(text);
    case Op::regex: return regex_->match(text);
    case Op::pmatch: return paths_->match(text);
    case Op::exists: return true;
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::contains:
    case Op::icontains:
    case Op::bcontains:
    case Op::startswith:
    case Op::bstartswith:
    case Op::endswith: return related(op_, text, literals_[0]);
    }
    return false;
}

bool Comparison::holds_network(std::string_view address) const {
    bool found = false;
    for (const Network& network : networks_) {
        found = found || (address.size() == network.length &&
                          same_network(reinterpret_cast<const std::uint8_t*>(address.data()),
                                       network.address.data(), network.bits));
    }
    return found == (op_ != Op::ne);
}

bool Comparison::holds_one(const Value& value) const {
    switch (type_) {
    case ValueType::text:
    case ValueType::bytes: return holds_text(value.text);
    case ValueType::signed_number:
    case ValueType::unsigned_number:
    case ValueType::boolean: return holds_number(value);
    case ValueType::real:
        if (is_membership(op_))
            return equals_any({reinterpret_cast<const char*>(&value.real), sizeof value.real});
        return ordered(op_, value.real, real_);
    case ValueType::address:
    case ValueType::network: return holds_network(value.text);
    }
    return false;
}

bool Comparison::holds(const Values& left) const {
    if (!left.present)
        return false;
    if (op_ == Op::exists)
        return true;
    const auto one = [this](const Value& value) { return holds_one(value); };
    const auto values = left.all();
    const bool all_of = (plurality_ == Plurality::list && op_ != Op::intersects) ||
                        (plurality_ == Plurality::endpoints && op_ == Op::ne);
    return all_of ? std::all_of(values.begin(), values.end(), one)
                  : std::any_of(values.begin(), values.end(), one);
}

bool Comparison::compare(const Value& left, const Value& right) const {
    switch (type_) {
    case ValueType::signed_number:
    case ValueType::boolean: return ordered(op_, left.number, right.number);
    case ValueType::unsigned_number:
        return ordered(op_, static_cast<std::uint64_t>(left.number),
                       static_cast<std::uint64_t>(right.number));
    case ValueType::real: return ordered(op_, left.real, right.real);
    case ValueType::text:
    case ValueType::bytes:
    case ValueType::address:
    case ValueType::network: return related(op_, left.text, right.text);
    }
    return false;
}

bool Comparison::holds(const Values& left, const Values& right) const {
    if (!left.present || !right.present)
        return false;
    const auto found = [&](const Value& value) {
        const auto values = right.all();
        return std::any_of(values.begin(), values.end(),
                           [&](const Value& other) { return compare(value, other); });
    };
    const auto values = left.all();
    const bool all_of = plurality_ == Plurality::list && op_ != Op::intersects;
    return all_of ? std::all_of(values.begin(), values.end(), found)
                  : std::any_of(values.begin(), values.end(), found);
}

} // namespace tiercel::filter
