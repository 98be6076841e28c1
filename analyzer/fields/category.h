// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

// evt.category; a read or write has the category of its fd.
std::string_view category_of(const EventContext& event);

} // namespace tiercel::filter
