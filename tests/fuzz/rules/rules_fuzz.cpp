// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as a rule file. Loading must end, report what is wrong, and load nothing
// then; what does load must match an event without harm.
#include <cstdint>
#include <cstdlib>

#include "analyzer/rules/rule_engine.h"
#include "tests/unit/rules/test_fields.h"

using namespace tiercel::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    TestFields fields;
    LoadOptions options;
    options.fields = &fields;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const Loaded loaded = load_texts({{"fuzz.yaml", text}}, options);
    std::size_t errors = 0;
    for (const Diagnostic& diagnostic : loaded.diagnostics.all()) {
        errors += diagnostic.severity == Severity::error ? 1 : 0;
        if (format(loaded.sources, diagnostic).empty())
            abort();
    }
    if ((errors == 0) != (loaded.rules != nullptr))
        abort();
    if (!loaded.rules)
        return 0;
    tiercel::filter::Matcher matcher(loaded.rules->program);
    TestEvent event(fields, {{"evt.type", {"openat"}},
                             {"proc.name", {"bash"}},
                             {"fd.name", {"/etc/shadow"}},
                             {"proc.aname", {"a", "b"}},
                             {"fd.types", {"file", "ipv4"}},
                             {"fd.num", {"3"}}});
    matcher.match(event.kind(), event, true);
    return 0;
}
