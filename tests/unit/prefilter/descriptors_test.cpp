// SPDX-License-Identifier: Apache-2.0
//
// Every field that depends on a table of descriptors is known to: either all files are followed for
// it, or the files of the event are told.
#include <doctest/doctest.h>

#include <cstring>

#include "analyzer/prefilter/calls.h"
#include "analyzer/prefilter/compiler.h"
#include "analyzer/prefilter/synthetic.h"
#include "analyzer/rules/rule_engine.h"
#include "shared/event/params.h"
#include "shared/event/table.h"

using namespace tiercel;
using namespace tiercel::prefilter;

namespace {

constexpr std::int64_t kTid = 7, kNumber = 5;

// Returns an event whose descriptors all are number 5 and whose paths are relative.
std::vector<std::byte> encode(const event::EventInfo& info) {
    std::vector<std::uint16_t> lengths(info.params.size());
    std::vector<std::byte> values;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const event::ParamType type = info.params[i].type;
        const std::size_t width = event::width(type);
        const bool text = type == event::ParamType::CHARBUF || type == event::ParamType::FSPATH ||
                          type == event::ParamType::FSRELPATH;
        const std::int64_t number =
            type == event::ParamType::FD && (i > 0 || !info.params[i].name.starts_with("fd"))
                ? kNumber
                : 0;
        if (info.params[i].own || (width == 0 && !text))
            continue;
        lengths[i] = static_cast<std::uint16_t>(text ? 2 : width);
        values.resize(values.size() + lengths[i]);
        if (text)
            values[values.size() - 2] = std::byte{'x'};
        else
            std::memcpy(&values[values.size() - width], &number, std::min(width, sizeof number));
    }
    return assemble(info.code, kTid, lengths, values);
}

// The field's text for the event if descriptors 0 to 9 are a file, or are not known.
std::string text_of(const filter::Fields& fields, std::uint32_t field, std::uint16_t code,
                    bool known) {
    state::StateTracker state;
    state::Thread thread;
    thread.tid = thread.pid = kTid;
    state.add(std::move(thread));
    for (std::int64_t number = 0; known && number < 10; ++number) {
        state::Fd fd;
        fd.kind = state::FdKind::file;
        fd.name = state::Text("/dev/log/secret");
        state.add_fd(kTid, number, std::move(fd));
    }
    const auto bytes = encode(*event::find(code));
    const auto view = event::EventView::parse(bytes);
    REQUIRE(view);
    filter::EventFields values(fields, state);
    values.set(*view, 1, 0, state.apply(*view, 0));
    std::string text;
    values.append_text(field, text);
    return text;
}

// The calls whose descriptors must be directories, or whose lookups fail.
bool needs_directory(std::uint16_t code) {
    using namespace event;
    switch (code) {
    case SYSCALL_OPENAT_2_X:
    case SYSCALL_OPENAT2_X:
    case SYSCALL_MKDIRAT_X:
    case SYSCALL_UNLINKAT_2_X:
    case SYSCALL_RENAMEAT_X:
    case SYSCALL_RENAMEAT2_X:
    case SYSCALL_SYMLINKAT_X:
    case SYSCALL_FCHDIR_X:
    case SYSCALL_FCHMODAT_X: return true;
    default: return false;
    }
}

} // namespace

TEST_CASE("no field depends on descriptors unknown to the kernel filter") {
    std::size_t found = 0;
    for (const filter::FieldClass& group : filter::field_classes())
        for (const filter::FieldInfo& info : group.fields) {
            std::string name(info.name);
            if (info.argument == filter::FieldArgument::name ||
                info.argument == filter::FieldArgument::index_or_name)
                name += "[1]";
            filter::Fields fields;
            rules::LoadOptions options;
            options.fields = &fields;
            const auto loaded =
                rules::load_texts({{"rules", "- {rule: R, desc: d, output: \"%" + name +
                                                 "\", priority: INFO, condition: proc.name=x, "
                                                 "warn_evttypes: false}\n"}},
                                  options);
            filter::Fields plain;
            filter::Fields::Problem problem;
            const auto field = plain.resolve(name, problem);
            if (!loaded.rules || !field)
                continue;
            const Compiled compiled = compile(*loaded.rules, fields, true, {});
            for (std::uint16_t code = 0; code < event::kCodeLimit; ++code) {
                const Call* call = find_call(code);
                if (call == nullptr || !loaded.rules->interest.codes[code] ||
                    needs_directory(code) ||
                    text_of(plain, *field, code, true) == text_of(plain, *field, code, false))
                    continue;
                ++found;
                CAPTURE(name);
                CAPTURE(event::find(code)->symbol);
                CHECK((!compiled.needs_all_files.empty() || compiled.filter.told[code] != 0));
            }
        }
    CHECK(found > 100);
}
