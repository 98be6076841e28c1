// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "courier/config/config.h"

namespace tiercel::courier {

struct Downloaded {
    bool good = false; // otherwise the reason has been printed
    std::string signature;
    std::string tarball;
};

// Returns what is wrong with the URL; empty: nothing.
std::string check_url(const std::string& url, const Options& options);

// Gets URL.minisig and URL in a process of its own. That process has the network; it cannot write
// rules, and it does not check the signature. `options` are the courier's configuration keys.
Downloaded download(const std::string& url, const Options& options);

} // namespace tiercel::courier
