// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as events in a row, as a ring holds them. What is one goes the whole way:
// into the state, and out of it as a line, as JSON, and as every field that rules can ask for.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "analyzer/fields/fields.h"
#include "analyzer/output/event_json.h"
#include "analyzer/output/event_line.h"

using namespace tiercel;

namespace {

constexpr std::uint64_t kMostEvents = 128;
constexpr std::size_t kFieldStep = 31; // each event is asked for some fields, to be fast

// All fields; those that need an argument with one that may fit.
struct AllFields {
    filter::Fields fields;
    std::vector<std::uint32_t> ids;

    AllFields() {
        for (const filter::FieldClass& each : filter::field_classes())
            for (const filter::FieldInfo& info : each.fields) {
                const std::string name(info.name);
                add(name);
                add(name + "[0]");
                add(name + "[2]");
                add(name + ".res");
            }
        if (ids.size() < 100)
            abort();
    }
    void add(const std::string& text) {
        filter::FieldCatalog::Problem problem;
        if (const auto id = fields.resolve(text, problem))
            ids.push_back(*id);
    }
};

class Decoder {
  public:
    void take(const event::EventView& event, std::uint16_t cpu) {
        values_.set(event, ++number_, cpu, engine_.apply(event, cpu));
        const output::Shown shown{number_, event, cpu, engine_};
        output::Buffer out;
        line_.append(out, shown);
        json_.append(out, shown);
        // Each event is one line of text, for every content.
        if (std::count(out.begin(), out.end(), '\n') != 2)
            abort();
        const auto& ids = all().ids;
        for (std::size_t i = number_ % kFieldStep; i < ids.size(); i += kFieldStep) {
            text_.clear();
            values_.append_text(ids[i], text_);
        }
    }
    bool done() const { return number_ == kMostEvents; }

  private:
    // Made late: what the fields are is itself made before main().
    static AllFields& all() {
        static AllFields made;
        return made;
    }
    state::StateTracker engine_{{.threads = 64, .fds = 32}};
    filter::EventFields values_{all().fields, engine_};
    output::EventLine line_{false};
    output::EventJson json_;
    std::string text_;
    std::uint64_t number_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Decoder decoder;
    const event::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    for (std::size_t at = 0; at < size && !decoder.done();) {
        const auto event = event::EventView::parse(bytes.subspan(at));
        if (event)
            decoder.take(*event, static_cast<std::uint16_t>(at));
        at += event ? event->size() : 1;
    }
    return 0;
}
