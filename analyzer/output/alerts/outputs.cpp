// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/outputs.h"

#include <algorithm>

namespace tiercel::alerts {

namespace {

struct Row {
    config::Output output;
    const char* prefix;
    os::Result<std::unique_ptr<Sink>> (*open)(const config::Settings&);
};

constexpr Row kRows[] = {
#define OUTPUT(id, prefix, ...) {config::Output::id, prefix, open_##id},
#include "analyzer/config/outputs.def"
#undef OUTPUT
};

} // namespace

bool any_enabled(const config::Settings& settings) {
    return std::ranges::any_of(settings.outputs, &config::OutputSettings::enabled);
}

std::string output_names() {
    std::string names;
    for (const Row& row : kRows)
        names.append(names.empty() ? "" : ", ").append(row.prefix).append(".enabled");
    return names;
}

os::Result<std::vector<std::unique_ptr<Sink>>> open_sinks(const config::Settings& settings) {
    std::vector<std::unique_ptr<Sink>> sinks;
    for (const Row& row : kRows) {
        if (!settings.output(row.output).enabled)
            continue;
        auto sink = row.open(settings);
        if (!sink)
            return sink.error();
        sinks.push_back(*std::move(sink));
    }
    return sinks;
}

} // namespace tiercel::alerts
