// SPDX-License-Identifier: Apache-2.0
//
// --explain-caps: what each driver needs on this kernel, why, what this process could grant, and
// how to grant it. Needs no privilege: it prints the plan (policy/) that privd enforces.
#pragma once

#include <optional>
#include <ostream>

#include "policy/privilege/host.h"

namespace tiercel::explain {

struct Options {
    std::optional<policy::Driver> driver; // nothing: all of them
    bool json = false;
    bool color = false;
};

// The driver that `--driver auto` would take: the first that nothing blocks and that is built in.
std::optional<policy::Driver> automatic_driver(const policy::HostFacts& facts);

// Writes the explanation and returns the exit code: 0, or 1 when `out` failed.
int explain_caps(const Options& options, std::ostream& out,
                 const policy::HostFacts& facts = policy::gather_host_facts());

} // namespace tiercel::explain
