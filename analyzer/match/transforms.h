// SPDX-License-Identifier: Apache-2.0
//
// Transforms: the results of tolower(), b64() and the other transformers
//
// Results live in a Scratch that is used again for each event, so that nothing is allocated once it
// has grown.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "analyzer/match/graph.h"

namespace tiercel::filter {

struct Scratch {
    std::deque<std::string> texts; // a deque: growing it moves no text
    std::vector<Value> values;
    std::vector<Values> inputs;              // of the slot, in order
    std::vector<ValueType> types;            // of the inputs
    std::vector<std::string_view> arguments; // getopt
    std::vector<std::string_view> options;   // getopt
};

// The value of `slot` given its inputs in `scratch`.
Values transform(const Slot& slot, Scratch& scratch);

// Decodes Base64 with or without padding. Returns false if `text` is not Base64.
bool decode_base64(std::string_view text, std::string& bytes);

} // namespace tiercel::filter
