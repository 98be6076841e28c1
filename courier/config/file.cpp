// SPDX-License-Identifier: Apache-2.0
#include "courier/config/file.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "shared/os/result.h"

namespace tiercel::courier {

std::optional<std::string> read_text(const char* program, const std::string& path) {
    std::ifstream file(path);
    file.peek(); // only reading tells that a directory cannot be read
    if (!file.is_open() || file.bad()) {
        os::print(program, os::error("read", path), "");
        return std::nullopt;
    }
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

bool read_file(const char* program, const char* path, Read read, Config& config) {
    const auto text = read_text(program, path);
    if (!text)
        return false;
    const std::vector<std::string> wrong = read(*text, config);
    for (const std::string& fault : wrong)
        fprintf(stderr, "%s: %s: %s\n", program, path, fault.c_str());
    return wrong.empty();
}

} // namespace tiercel::courier
