// SPDX-License-Identifier: Apache-2.0
//
// Compares the verdict on conditions with Falco's, for the conditions of shared/peer/conditions.tsv
// beside the repository. Without that file, the test prints so and counts as skipped (exit code
// 77).
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "analyzer/fields/fields.h"
#include "analyzer/rules/rule_engine.h"

using namespace tiercel;

namespace {

constexpr int kSkipped = 77;

// Conditions with another verdict than Falco's: at most ten.
struct Exception {
    std::string_view condition; // as in the file
    std::string_view reason;
};
constexpr std::array<Exception, 3> kExceptions = {{
    {R"("evt.num <= 0XaB00AB")", "the grammar has hexadecimal numbers, for every number field"},
    {R"("proc.name = 'multiple escape single quote \\' \\\\''")",
     "a quote after an escaped backslash ends the text; Falco takes it for an escaped quote"},
    {R"("evt.num <= 0x12345")", "the grammar has hexadecimal numbers, for every number field"},
}};
static_assert(kExceptions.size() <= 10);

// The macros and lists that the first line of the file promises.
std::string definitions() {
    std::string text = "- list: l1\n  items: [v1, v2]\n- list: test_list\n  items: [a, b]\n";
    for (const char* macro :
         {"a",        "b",          "c",       "d",         "e",    "f",    "macro",
          "macro1",   "test_macro", "A",       "and_macro", "notb", "notz", "not_macro",
          "or_macro", "macro_a",    "macro_b", "my_macro",  "test", "x"})
        text += std::string("- macro: ") + macro + "\n  condition: proc.name = x\n";
    return text;
}

// Loads a rule with the condition; returns the errors, or nothing if it is accepted.
std::string errors_of(const std::string& condition) {
    filter::Fields fields;
    rules::LoadOptions options;
    options.fields = &fields;
    const rules::Loaded loaded = rules::load_texts(
        {{"conditions.yaml", definitions() + "- rule: R\n  desc: d\n  condition: " + condition +
                                 "\n  output: o\n  priority: INFO\n"}},
        options);
    std::string errors;
    for (const rules::Diagnostic& diagnostic : loaded.diagnostics.all())
        if (diagnostic.severity == rules::Severity::error)
            errors += diagnostic.message + "; ";
    return loaded.rules ? std::string() : errors + "refused";
}

bool is_exception(std::string_view condition) {
    return std::ranges::find(kExceptions, condition, &Exception::condition) != kExceptions.end();
}

} // namespace

int main() {
    std::ifstream file(TIERCEL_PEER_DIR "/conditions.tsv");
    if (!file) {
        std::printf("skipped: there is no %s/conditions.tsv\n", TIERCEL_PEER_DIR);
        return kSkipped;
    }
    int same = 0, different = 0;
    for (std::string line; std::getline(file, line);) {
        const std::size_t tab = line.find('\t');
        if (line.starts_with('#') || tab == std::string::npos)
            continue;
        const bool wanted = line.starts_with("accept");
        const std::string condition = line.substr(tab + 1);
        const std::string errors = errors_of(condition);
        if (errors.empty() == wanted && !is_exception(condition)) {
            ++same;
        } else if (errors.empty() != wanted && is_exception(condition)) {
            ++same; // as the exception says
        } else {
            ++different;
            std::printf("%s: Falco %s it, Tiercel does not: %s\n", condition.c_str(),
                        wanted ? "accepts" : "refuses", errors.c_str());
        }
    }
    std::printf("%d conditions as wanted, %d not\n", same, different);
    return different == 0 && same > 600 ? 0 : 1;
}
