// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/flat_map.h"

#include <random>

namespace tiercel::state {
namespace {

HashSeed make_seed() {
    std::random_device random;
    const auto number = [&] { return (std::uint64_t{random()} << 32) | random(); };
    return {number(), number()};
}

} // namespace

const HashSeed kHashSeed = make_seed();

} // namespace tiercel::state
