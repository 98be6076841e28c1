// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tiercel::courier {

// Unpacks a .tar.gz or .tar.zst of rule files into a directory, which must be empty. Only plain
// files are taken, with plain names that end in .yaml or .yml and no directory before them, at most
// 1,000 of them and 64 MiB in all. A process of its own does it, which can reach that directory
// alone. Returns false after printing why; files may be left in the directory then.
bool unpack(std::string_view tarball, int directory);

} // namespace tiercel::courier
