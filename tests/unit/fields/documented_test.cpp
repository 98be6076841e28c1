// SPDX-License-Identifier: Apache-2.0
//
// Every field that Falco documents is there, with its type: documented_fields.txt.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "analyzer/fields/fields.h"

using namespace tiercel;

TEST_CASE("every documented field is there, with its type") {
    std::map<std::string, std::string, std::less<>> ours;
    for (const filter::FieldClass& group : filter::field_classes())
        for (const filter::FieldInfo& field : group.fields)
            ours.emplace(field.name, field.type.shown);
    std::ifstream file(TIERCEL_SOURCE_DIR "/tests/unit/fields/documented_fields.txt");
    std::size_t documented = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#'))
            continue;
        std::istringstream words(line);
        std::string name, type;
        words >> name >> type;
        CAPTURE(name);
        ++documented;
        const auto found = ours.find(name);
        REQUIRE(found != ours.end());
        CHECK(found->second == type);
    }
    CHECK(documented > 200);
}
