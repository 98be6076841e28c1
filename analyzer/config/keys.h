// SPDX-License-Identifier: Apache-2.0
//
// Keys: the table of the keys of analyzer.yaml (keys.def, outputs.def).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/config/settings.h"
#include "shared/document/document.h"

namespace tiercel::config {

// Stores a value in the settings. Returns what is wrong with the value, or an empty text.
using Take = std::function<std::string(const DocumentNode&, Settings&)>;

struct Key {
    enum class Standing : std::uint8_t {
        same,      // falco.yaml has the key with the same meaning
        different, // falco.yaml has the key; `doc` says what differs
        ours,      // falco.yaml has no such key
        ignored,   // a key of falco.yaml without effect here
        elsewhere, // another program of Tiercel reads the keys
        absent,    // an output or interface of falco.yaml that does not exist here
    };
    std::string name; // a dot stands for a mapping within a mapping
    Take take;        // empty: ignored or absent
    Standing standing = Standing::same;
    std::string_view preset; // the value without the key, as text
    std::string_view doc;    // one line
};

const std::vector<Key>& keys();

// Returns nullptr if there is no such row. A key may have one row only.
const Key* find_key(std::string_view name);

} // namespace tiercel::config
