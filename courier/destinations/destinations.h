// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "courier/delivery/destination.h"

namespace tiercel::courier {

// make_http(options), make_alertmanager(options), … check the options and make the destination.
// None connects yet.
#define DESTINATION(id, ...) Made make_##id(const Options& options);
#include "courier/config/destinations.def"
#undef DESTINATION

// Makes the destination of the options' kind.
Made make_destination(const Options& options);

} // namespace tiercel::courier
