// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as a capture. Reading must end, with an error that says where or without
// one; what was read must be usable, and the same when it is written anew and read again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "analyzer/capture/reader.h"
#include "analyzer/capture/writer.h"
#include "tests/unit/capture/capture_builder.h"

using namespace tiercel;

namespace {

constexpr state::Limits kLimits{.threads = 256, .fds = 64};

struct Read {
    std::vector<std::vector<std::byte>> events;
    std::string anew; // what was read, as our writer writes it
};

Read read_all(std::string_view bytes, bool damaged_allowed) {
    Read result;
    state::StateTracker engine(kLimits);
    capture::Reader reader(test::file_of(bytes), engine);
    std::vector<std::byte> anew;
    while (const auto event = reader.next()) {
        if (event->num != result.events.size() + 1)
            abort();
        if (event->num == 1) {
            engine.settle();
            capture::append_head(anew, reader.machine(), engine);
        }
        capture::append_event(anew, event->view, event->cpu);
        const auto raw = event->view.bytes();
        result.events.emplace_back(raw.begin(), raw.end());
        engine.apply(event->view, event->cpu);
    }
    const bool told_where = reader.error().find(" at byte ") != std::string::npos;
    if (!reader.error().empty() && (!damaged_allowed || !told_where))
        abort();
    result.anew.assign(reinterpret_cast<const char*>(anew.data()), anew.size());
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Read first = read_all({reinterpret_cast<const char*>(data), size}, true);
    if (first.events.empty())
        return 0;
    const Read second = read_all(first.anew, false);
    if (second.events != first.events)
        abort();
    return 0;
}
