// SPDX-License-Identifier: Apache-2.0
//
// Fields: everything that rules and output templates can ask of an event, by Falco's names. One
// table row describes a field: its name, type, argument, description and the function that extracts
// it.
//
// Fields resolves names when rules are loaded; EventFields fetches values while events go by. A
// value lives until the next event; fetching allocates nothing once the arena has grown.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/fields/arena.h"
#include "analyzer/language/field.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::filter {

// One event and what is known about it.
struct EventContext {
    const event::EventView* event = nullptr;
    std::uint64_t num = 0;
    std::uint16_t cpu = 0;
    const state::StateTracker* state = nullptr;
    const state::Thread* thread = nullptr; // nullptr: not known
    const state::Fd* fd = nullptr;         // the event's fd; nullptr: none, or not known
    std::int64_t fd_num = state::Current::kNoFd;
    bool fd_name_changed = false;
    const char* hostname = nullptr; // nullptr or empty: not known
    Arena* arena = nullptr;
};

enum class FieldArgument : std::uint8_t {
    none,
    optional_index, // proc.aname[2]
    number,         // evt.around[1404996934793590564]
    optional_key,   // proc.env[HOME], proc.env
    index_or_name,  // evt.arg[0], evt.arg.flags
    name,           // evt.rawarg.flags
};

// How a number is printed.
enum class FieldPrint : std::uint8_t { decimal, hex, padded9 };

// A field's argument as resolved.
struct Argument {
    std::string key;           // as given; empty: none
    std::int64_t index = -1;   // of keys that are numbers
    std::uint16_t variant = 0; // which of the fields that share an extractor
};

using Extract = Values (*)(const EventContext& event, const Argument& argument, Value& single);

struct FieldInfo {
    std::string_view name;
    std::string_view shown_type; // as Falco calls it: "CHARBUF", "UINT64", "IPADDR"…
    ValueType type;
    std::string_view description;
    Extract extract;
    std::uint16_t variant = 0;
    FieldArgument argument = FieldArgument::none;
    Plurality plurality = Plurality::single; // without an argument
    std::uint8_t cost = 4;
    FieldPrint print = FieldPrint::decimal;
};

struct FieldClass {
    std::string_view name;
    std::string_view description;
    std::span<const FieldInfo> fields;
};
std::span<const FieldClass> field_classes();

// A field with its argument, ready to be fetched.
struct ResolvedField {
    const FieldInfo* info = nullptr;
    Argument argument;
    ValueType type = ValueType::text; // of this use: evt.rawarg's depends on the parameter
};

class Fields : public FieldCatalog {
  public:
    bool resolve(const Operand& operand, FieldUse& use, Problem& problem) override;
    // `text` as written in templates: "proc.aname[2]", "evt.arg.flags". Nothing: no such field.
    std::optional<std::uint32_t> resolve(std::string_view text, Problem& problem);
    const ResolvedField& operator[](std::uint32_t id) const { return fields_[id]; }

  private:
    bool resolve(std::string_view name, std::string_view argument, bool has_argument,
                 ResolvedField& field, Problem& problem);
    std::uint32_t add(ResolvedField field);
    std::vector<ResolvedField> fields_;
};

class EventFields : public FieldSource {
  public:
    EventFields(const Fields& fields, const state::StateTracker& state) : fields_(fields) {
        context_.state = &state;
        context_.arena = &arena_;
    }
    // Once for each event, after the state took it.
    void set(const event::EventView& event, std::uint64_t num, std::uint16_t cpu,
             const state::Current& now);
    // Lent; looked at with each event, for a capture tells the name of its machine later.
    void set_hostname(const char* hostname) { context_.hostname = hostname; }

    Values fetch(std::uint32_t id, Value& single) override {
        const ResolvedField& field = fields_[id];
        return field.info->extract(context_, field.argument, single);
    }
    // Appends the text of the field; "<NA>" when it has no value. Whether it has one.
    bool append_text(std::uint32_t id, std::string& out);
    const Fields& fields() const { return fields_; }
    const EventContext& context() const { return context_; }

  private:
    const Fields& fields_;
    Arena arena_;
    EventContext context_;
};

// As append_text, for a value that was fetched.
void append_values(const ResolvedField& field, const Values& values, std::string& out);

} // namespace tiercel::filter
