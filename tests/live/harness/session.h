// SPDX-License-Identifier: Apache-2.0
//
// What the command line chose: the driver under test and the one source that all tests share.
#pragma once

#include <optional>
#include <string_view>

#include "tests/live/harness/source.h"

namespace tiercel::live {

// The options that main() was given; tests that need a source of their own start from them.
SourceOptions& source_options();

// The driver under test is the tracer: of some values it cannot know (docs/DRIVER-CONTRACT.md).
inline bool by_ptrace() {
    return source_options().driver == wire::Driver::userspace;
}

// Why the driver under test cannot give the event, if gaps.def says so.
std::optional<std::string_view> declared_gap(event::Code code);

// Does something before the shared source is started, to which it is then as old as anything:
//   const BeforeSession prepared([] { ... });
struct BeforeSession {
    explicit BeforeSession(void (*prepare)());
};
void prepare_session();

// The shared source: all syscalls and signals, the default snaplen. Started at the first use.
Source& session();

} // namespace tiercel::live
