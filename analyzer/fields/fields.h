// SPDX-License-Identifier: Apache-2.0
//
// Fields: the values that rules and output templates can use of an event, by Falco's names
//
// One table row describes a field: its name, type, description, the function that gets its value,
// and options. values.h has the words for the rows.
//
// Fields resolves names when rules are loaded; EventFields fetches values of events. A value lives
// until the next event. A fetch allocates nothing once the arena has grown.
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

// Which of a file's names the fields give, if it has several. A condition is evaluated with each.
enum class Reading : std::uint8_t {
    kernel, // the kernel's path
    given,  // the path that the process gave, made whole
    origin, // the kernel's path without bind mounts
};

// One event and the state's knowledge about it.
struct EventContext {
    const event::EventView* event = nullptr;
    std::uint64_t num = 0;
    std::uint16_t cpu = 0;
    bool is_uring = false; // the call was made through io_uring
    const state::StateTracker* state = nullptr;
    const state::Thread* thread = nullptr; // nullptr: not known
    const state::Fd* fd = nullptr;         // the event's fd; nullptr: none, or not known
    std::int64_t fd_num = state::Current::kNoFd;
    bool fd_name_changed = false;
    Reading reading = Reading::kernel;
    bool base64 = false;            // Fields::set_base64()
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

// Whether the field can give the parts of its text one by one, where a list is wanted.
enum class FieldElements : std::uint8_t { none, separable };

// A field's argument as resolved.
struct Argument {
    std::string key;         // as given; empty: none
    std::int64_t index = -1; // of keys that are numbers
    bool each = false;       // of a separable field: each part is a value
};

struct FieldType {
    std::string_view shown; // the name in Falco's documentation: "CHARBUF", "UINT64", "IPADDR"…
    ValueType value;
    std::uint8_t bits = 64; // width of a number
};

struct FieldCost {
    std::uint8_t value;
};

using Extract = Values (*)(const EventContext& event, const Argument& argument, Value& single);

struct FieldInfo {
    // `options` are any of: a FieldCost, FieldArgument, Plurality, FieldPrint, FieldElements.
    template <typename... Options>
    constexpr FieldInfo(std::string_view field_name, FieldType field_type,
                        std::string_view field_description, Extract field_extract,
                        Options... options)
        : name(field_name), type(field_type), description(field_description),
          extract(field_extract) {
        (set(options), ...);
    }

    std::string_view name;
    FieldType type;
    std::string_view description;
    Extract extract;
    FieldArgument argument = FieldArgument::none;
    Plurality plurality = Plurality::single; // without an argument
    FieldPrint print = FieldPrint::decimal;
    FieldElements elements = FieldElements::none;
    std::uint8_t cost = 4;

  private:
    constexpr void set(FieldCost option) { cost = option.value; }
    constexpr void set(FieldArgument option) { argument = option; }
    constexpr void set(Plurality option) { plurality = option; }
    constexpr void set(FieldPrint option) { print = option; }
    constexpr void set(FieldElements option) { elements = option; }
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
    ValueType type = ValueType::text; // of this use: evt.rawarg has the type of the parameter
    std::uint8_t bits = 64;           // width of a number
    bool is_port = false;
    bool base64 = false; // bytes are printed in Base64
    bool is_list() const {
        return argument.each || (argument.key.empty() && info->plurality == Plurality::list);
    }
};

class Fields : public FieldCatalog {
  public:
    bool resolve(const Operand& operand, FieldUse& use, Problem& problem) override;
    bool resolve_list(const Operand& operand, FieldUse& use, Problem& problem) override;
    // Resolves a field as templates have it: "proc.aname[2]", "evt.arg.flags". Returns nothing if
    // there is no such field.
    std::optional<std::uint32_t> resolve(std::string_view text, Problem& problem);
    const ResolvedField& operator[](std::uint32_t id) const { return fields_[id]; }
    // Prints bytes in Base64 instead of as text. Call before the first field is resolved.
    void set_base64(bool on) { base64_ = on; }
    bool base64() const { return base64_; }
    // Whether a field was resolved that a container runtime gives.
    bool ask_runtimes() const { return ask_runtimes_; }

  private:
    bool resolve(std::string_view name, std::string_view argument, bool has_argument,
                 ResolvedField& field, Problem& problem);
    bool resolve_use(const Operand& operand, bool as_list, FieldUse& use, Problem& problem);
    std::uint32_t add(ResolvedField field);
    std::vector<ResolvedField> fields_;
    bool base64_ = false;
    bool ask_runtimes_ = false;
};

class EventFields : public FieldSource {
  public:
    EventFields(const Fields& fields, const state::StateTracker& state) : fields_(fields) {
        context_.state = &state;
        context_.arena = &arena_;
        context_.base64 = fields.base64();
    }
    // Call once for each event, after the state has processed it.
    void set(const event::EventView& event, std::uint64_t num, std::uint16_t cpu,
             const state::Current& now);
    // `hostname` must outlive this object. It is read for each event, because a capture gives the
    // name of its machine late.
    void set_hostname(const char* hostname) { context_.hostname = hostname; }

    Values fetch(std::uint32_t id, Value& single) override {
        const ResolvedField& field = fields_[id];
        return field.info->extract(context_, field.argument, single);
    }
    bool next_reading() override;
    // Appends the text of the field, or "<NA>" and returns false if the field has no value.
    bool append_text(std::uint32_t id, std::string& out);
    const Fields& fields() const { return fields_; }
    const EventContext& context() const { return context_; }

  private:
    const Fields& fields_;
    Arena arena_;
    EventContext context_;
};

// Appends the text of values that were fetched.
void append_values(const ResolvedField& field, const Values& values, std::string& out);

} // namespace tiercel::filter
