// SPDX-License-Identifier: Apache-2.0
//
// Joins and normalizes paths as text, without a look at any file system.
#pragma once

#include <string>
#include <string_view>

namespace tiercel::state {

// Stores `path` relative to `directory` in `out`, without ".", ".." and repeated slashes. An
// absolute path ignores the directory. A relative directory ("./", "<UNKNOWN>/") keeps its
// beginning.
void join_path(std::string_view directory, std::string_view path, std::string& out);
std::string join_path(std::string_view directory, std::string_view path);

} // namespace tiercel::state
