// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// Parameters and flag values by name, made from events.def, old_events.def and flags.def
//
//   namespace open = event::param::SYSCALL_OPEN_X;
//   event.text(open::name)                                 the index of a parameter within its
//   event flags & event::flags::file_flags::kO_CLOEXEC           a value as the schema encodes it
//
// Flag constants carry a k, because <fcntl.h> and its like define names such as O_CLOEXEC as
// macros.
#pragma once

#include <cstdint>

namespace tiercel::event {

// NOLINTBEGIN(bugprone-macro-parentheses): the macros make declarations.
namespace param {
#define P(name, ...) name
#define OWN(name, ...) name
#define EVENT(code, symbol, name, category, flags, source, ...)                                    \
    namespace symbol {                                                                             \
    enum Index : std::uint32_t { __VA_ARGS__ };                                                    \
    }
#define OLD_EVENT(code, symbol, name, category, flags, origin, ...)                                \
    namespace symbol {                                                                             \
    enum Index : std::uint32_t { __VA_ARGS__ };                                                    \
    }
#include "shared/event/events.def"
#include "shared/event/old_events.def"
#undef EVENT
#undef OLD_EVENT
#undef P
#undef OWN
} // namespace param

namespace flags {
#define FLAG_SET(set) namespace set {
#define FLAG(name, value) inline constexpr std::uint32_t k##name = value;
#define FLAG_SET_END }
#include "shared/event/flags.def"
#undef FLAG_SET
#undef FLAG
#undef FLAG_SET_END
} // namespace flags
// NOLINTEND(bugprone-macro-parentheses)

} // namespace tiercel::event
