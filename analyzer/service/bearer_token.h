// SPDX-License-Identifier: Apache-2.0
//
// The token that readers of the metrics on a TCP port send (RFC 6750: "Authorization: Bearer
// TOKEN"), because any local user may connect to a port. A Unix socket has file permissions, and
// needs no token.
#pragma once

#include <string>
#include <string_view>

#include "shared/os/result.h"

namespace tiercel::app {

// Returns the token that the file holds. Makes the file first if it does not exist: mode 0600, with
// 32 random bytes in hexadecimal. Fails if other users may read the file, or if its token has less
// than 16 characters. Call before the sandbox.
os::Result<std::string> read_or_make_token(const std::string& path);

// Compares in a time that does not depend on where the texts differ. An empty token equals nothing.
bool is_token(std::string_view given, std::string_view token);

} // namespace tiercel::app
