// SPDX-License-Identifier: Apache-2.0
//
// FieldAccess: all that conditions need to know of fields. Fields are looked up by name when rules
// are loaded and fetched by number while events are matched. The registry of real fields implements
// it; tests have small ones of their own.
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

// How a field that may have several values is compared.
enum class Plurality : std::uint8_t {
    single,
    list,      // `in`: all of them; `intersects`: one of them; nothing else
    any,       // every operator: one of them (proc.aname, over all ancestors)
    endpoints, // `!=`: all of them; every other operator: one of them (fd.ip, over both ends)
};

struct FieldUse {
    std::uint32_t id = 0; // what fetch() is asked for
    ValueType type = ValueType::text;
    Plurality plurality = Plurality::single;
    std::uint8_t cost =
        4; // of fetching: 1 a number of the event, 4 a look-up, 20 a walk over ancestors
    bool is_event_type = false; // evt.type: known from the event's code alone
    bool is_distance = false;   // evt.around: `=` means within, and is the only comparison
};

struct Value {
    std::string_view text;   // text, bytes, address, network
    std::int64_t number = 0; // numbers (unsigned ones bit for bit), booleans as 0 and 1
    double real = 0;
};

// Values of a field for one event. `present` is false where the field has no value: then every
// comparison is false. Views stay good until the next event.
struct Values {
    bool present = false;
    const Value* first = nullptr;
    std::uint32_t count = 0;
    std::span<const Value> all() const { return {first, count}; }
};

// The side of rule loading.
class FieldCatalog {
  public:
    virtual ~FieldCatalog() = default;
    struct Problem {
        std::string message;
        std::string hint;
        bool unknown = false; // there is no such field, as opposed to a wrong argument
    };
    // The field `operand` names (with its argument); false when it cannot be, and why in `problem`.
    virtual bool resolve(const Operand& operand, FieldUse& use, Problem& problem) = 0;
};

// The side of matching: one event and everything known about it.
class FieldSource {
  public:
    virtual ~FieldSource() = default;
    // What `id` stands for has been said by FieldCatalog::resolve. `single` is room for one value,
    // which the result may point to.
    virtual Values fetch(std::uint32_t id, Value& single) = 0;
};

} // namespace tiercel::filter
