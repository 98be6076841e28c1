// SPDX-License-Identifier: Apache-2.0
//
// Transforms: what tolower(), b64() and the other transformers make of values. Results live in a
// Scratch that is used again for each event, so that nothing is allocated once it has grown.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "analyzer/match/graph.h"

namespace tiercel::filter {

struct Scratch {
    std::deque<std::string> texts; // a deque: growing it moves no text
    std::vector<Value> values;
    std::vector<Values> inputs;   // of the slot, in order; unset for literals
    std::vector<ValueType> types; // theirs
};

// The value of `slot` given its inputs in `scratch`.
Values transform(const Slot& slot, Scratch& scratch);

// Base64 without regard to padding; false: `text` is none.
bool decode_base64(std::string_view text, std::string& bytes);

} // namespace tiercel::filter
