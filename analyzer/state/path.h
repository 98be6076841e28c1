// SPDX-License-Identifier: Apache-2.0
//
// Paths as text: joined and shortened without asking a file system.
#pragma once

#include <string>
#include <string_view>

namespace tiercel::state {

// `path` as seen from `directory`, without ".", ".." and repeated slashes, in `out`. An absolute
// path stands for itself. A relative directory ("./", "<UNKNOWN>/") keeps its beginning.
void join_path(std::string_view directory, std::string_view path, std::string& out);
std::string join_path(std::string_view directory, std::string_view path);

} // namespace tiercel::state
