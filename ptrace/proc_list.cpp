// SPDX-License-Identifier: Apache-2.0
#include "ptrace/proc_list.h"

#include <dirent.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace tiercel::ptrace {

std::vector<int> numbers_in(const std::string& path) {
    std::vector<int> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
        int number = 0;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, number).ptr == end)
            found.push_back(number);
    }
    return found;
}

} // namespace tiercel::ptrace
