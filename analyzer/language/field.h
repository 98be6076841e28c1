// SPDX-License-Identifier: Apache-2.0
//
// Fields as conditions see them: FieldCatalog resolves names when rules are loaded, FieldSource
// fetches values by number while events are matched. The registry of real fields implements both;
// tests have small catalogs of their own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "analyzer/language/ast.h"

namespace tiercel::filter {

enum class ValueType : std::uint8_t {
    text,
    bytes,
    signed_number,
    unsigned_number,
    boolean,
    real,
    address, // 4 or 16 bytes in network order
    network, // an address that is compared with networks
};

// How the values of a field are compared.
enum class Plurality : std::uint8_t {
    single,
    list,      // `in`: all of them; `intersects`: one of them; nothing else
    any,       // every operator: one of them (proc.aname, over all ancestors)
    endpoints, // `!=`: all of them; every other operator: one of them (fd.ip, over both ends)
};

struct FieldUse {
    std::uint32_t id = 0; // the argument of fetch()
    ValueType type = ValueType::text;
    Plurality plurality = Plurality::single;
    // Relative cost of a fetch: 1 a number of the event, 4 a look-up, 20 a walk over ancestors.
    std::uint8_t cost = 4;
    bool is_event_type = false; // evt.type: known from the event's code alone
    bool is_distance = false;   // evt.around: `=` means within, and is the only comparison
    bool is_port = false;       // a number that may be given as the name of a service
    std::uint8_t bits = 64;     // width of a number
    std::string_view never;     // why the field never has a value; empty: it may have one
};

struct Value {
    std::string_view text;   // text, bytes, address, network
    std::int64_t number = 0; // numbers (unsigned ones bit for bit), booleans as 0 and 1
    double real = 0;
};

// Values of a field for one event. `present` is false if the field has no value: then every
// comparison is false. Views are valid until the next event.
struct Values {
    bool present = false;
    const Value* first = nullptr;
    std::uint32_t count = 0;
    std::span<const Value> all() const { return {first, count}; }
};

// Resolves the names of fields when rules are loaded.
class FieldCatalog {
  public:
    virtual ~FieldCatalog() = default;
    struct Problem {
        std::string message;
        std::string hint;
        bool unknown = false; // there is no such field; false: the argument is wrong
    };
    // Resolves the field that `operand` names. Returns false and sets `problem` if it cannot.
    virtual bool resolve(const Operand& operand, FieldUse& use, Problem& problem) = 0;
    // The same where a list of texts is wanted: proc.args gives its arguments one by one.
    virtual bool resolve_list(const Operand& operand, FieldUse& use, Problem& problem) {
        return resolve(operand, use, problem);
    }
};

// Fetches the values of fields for one event.
class FieldSource {
  public:
    virtual ~FieldSource() = default;
    // `id` comes from FieldCatalog::resolve(). The result may point to `single`.
    virtual Values fetch(std::uint32_t id, Value& single) = 0;
    // Goes on to the event's next reading, in which fields that name a file have another of its
    // names; a condition holds if it holds in one reading. Returns false after the last reading,
    // and is at the first one again.
    virtual bool next_reading() { return false; }
};

} // namespace tiercel::filter
