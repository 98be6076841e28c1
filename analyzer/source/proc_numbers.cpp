// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/proc_numbers.h"

#include <dirent.h>

#include <climits>
#include <memory>

#include "shared/os/file.h"

namespace tiercel::app {

std::vector<std::int32_t> numbers_in(const std::string& path) {
    std::vector<std::int32_t> numbers;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr)
        if (const auto number = os::parse_unsigned(entry->d_name); number && *number <= INT_MAX)
            numbers.push_back(static_cast<std::int32_t>(*number));
    return numbers;
}

} // namespace tiercel::app
