// SPDX-License-Identifier: Apache-2.0
//
// TestFields: fields by name and type, and events that are a map from field to value. It lets rules
// be loaded and matched without a driver, a capture or process state: a test says what the event
// looks like.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyzer/language/field.h"
#include "analyzer/language/suggest.h"
#include "analyzer/match/matcher.h"

namespace tiercel::rules {

class TestFields : public filter::FieldCatalog {
  public:
    bool resolve(const filter::Operand& operand, filter::FieldUse& use, Problem& problem) override;
    // The name that id stands for, with its argument: "proc.aname[2]".
    const std::string& name(std::uint32_t id) const { return names_[id]; }
    filter::ValueType type(std::uint32_t id) const { return types_[id]; }
    std::uint32_t count() const { return static_cast<std::uint32_t>(names_.size()); }

  private:
    std::vector<std::string> names_;
    std::vector<filter::ValueType> types_;
};

// An event: its type, and the values of its fields as text (several where the field has several).
struct TestEvent : filter::FieldSource {
    TestEvent(const TestFields& catalog, std::map<std::string, std::vector<std::string>> event)
        : fields(catalog), given(std::move(event)) {}
    filter::Values fetch(std::uint32_t id, filter::Value& single) override;
    filter::EventKind kind() const; // from evt.type

    const TestFields& fields;
    std::map<std::string, std::vector<std::string>> given;
    std::map<std::uint32_t, std::vector<filter::Value>> values;
    std::vector<std::string> addresses;
};

} // namespace tiercel::rules
