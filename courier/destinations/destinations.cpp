// SPDX-License-Identifier: Apache-2.0
#include "courier/destinations/destinations.h"

namespace tiercel::courier {

Made make_destination(const Options& options) {
    switch (options.kind) {
#define DESTINATION(id, ...)                                                                       \
    case Kind::id:                                                                                 \
        return make_##id(options);
#include "courier/config/destinations.def"
#undef DESTINATION
    }
    return {nullptr, "has no known type"};
}

} // namespace tiercel::courier
