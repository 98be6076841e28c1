// SPDX-License-Identifier: Apache-2.0
//
// FakeFields: a small catalog of fields of every type, and events made of them, for tests that are
// about conditions and not about real fields.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analyzer/language/field.h"
#include "analyzer/match/event_kind.h"
#include "analyzer/match/resolver.h"

namespace tiercel::filter {

struct FakeField {
    const char* name;
    ValueType type;
    Plurality plurality = Plurality::single;
    std::uint8_t cost = 4;
};

inline constexpr std::array kFakeFields = {
    FakeField{"evt.type", ValueType::text, Plurality::single, 1},
    FakeField{"t.a", ValueType::text},
    FakeField{"t.b", ValueType::text},
    FakeField{"t.list", ValueType::text, Plurality::list},
    FakeField{"t.any", ValueType::text, Plurality::any, 20},
    FakeField{"n.signed", ValueType::signed_number, Plurality::single, 1},
    FakeField{"n.unsigned", ValueType::unsigned_number, Plurality::single, 1},
    FakeField{"n.bool", ValueType::boolean, Plurality::single, 1},
    FakeField{"n.ends", ValueType::unsigned_number, Plurality::endpoints},
    FakeField{"y.bytes", ValueType::bytes},
    FakeField{"i.net", ValueType::network, Plurality::endpoints},
    FakeField{"n.real", ValueType::real},
};

class FakeCatalog : public FieldCatalog {
  public:
    bool resolve(const Operand& operand, FieldUse& use, Problem& problem) override {
        for (std::uint32_t id = 0; id < kFakeFields.size(); ++id) {
            const FakeField& field = kFakeFields[id];
            if (operand.name != field.name)
                continue;
            use.id = id;
            use.type = field.type;
            use.plurality = field.plurality;
            use.cost = field.cost;
            use.is_event_type = id == 0;
            return true;
        }
        problem = {"unknown field '" + operand.name + "'", {}, true};
        return false;
    }
};

struct FakeEvent : FieldSource {
    std::string type = "open";
    std::array<std::vector<std::string>, kFakeFields.size()> texts; // no value: absent
    std::array<std::vector<std::int64_t>, kFakeFields.size()> numbers;
    double real = 0;
    std::uint32_t fetches = 0;
    std::vector<Value> values[kFakeFields.size()];

    Values fetch(std::uint32_t id, Value& single) override {
        ++fetches;
        if (id == 0) {
            single.text = type;
            return {true, &single, 1};
        }
        if (kFakeFields[id].type == ValueType::real) {
            single.real = real;
            return {true, &single, 1};
        }
        values[id].clear();
        for (const std::string& text : texts[id])
            values[id].push_back({text, 0, 0});
        for (const std::int64_t number : numbers[id])
            values[id].push_back({{}, number, 0});
        return {!values[id].empty(), values[id].data(),
                static_cast<std::uint32_t>(values[id].size())};
    }
};

struct NoScope : Scope {
    std::optional<NodeId> macro(const std::string&, Issue& issue) override {
        issue.message = "no macros here";
        return std::nullopt;
    }
    const std::vector<std::string>* list(const std::string&) override { return nullptr; }
};

} // namespace tiercel::filter
