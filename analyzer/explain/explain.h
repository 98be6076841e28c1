// SPDX-License-Identifier: Apache-2.0
//
// --explain-caps: which drivers can work on this machine, and why; in detail, what each needs on
// this kernel, what this process could grant, and how to grant it. Needs no privilege: it prints
// the plan (policy/) that privd enforces.
#pragma once

#include <optional>
#include <ostream>

#include "policy/privilege/host.h"

namespace tiercel::explain {

struct Options {
    std::optional<policy::Driver> driver; // nothing: all of them
    bool json = false;
    bool details = false; // JSON always has them
    bool color = false;
};

// The driver that `--driver auto` would take: the first that nothing blocks and that is built in.
std::optional<policy::Driver> automatic_driver(const policy::HostFacts& facts);

// Writes the explanation and returns the exit code: 0; 1 if none of the drivers works here, or if
// `out` failed.
int explain_caps(const Options& options, std::ostream& out,
                 const policy::HostFacts& facts = policy::gather_host_facts());

} // namespace tiercel::explain
