// SPDX-License-Identifier: Apache-2.0
#include "shared/os/file.h"

#include <fcntl.h>

#include <charconv>
#include <climits>
#include <cstdio>

#include "shared/os/unique_fd.h"

namespace tiercel::os {

Result<std::string_view> read_file(const char* root, const char* path, std::span<char> buffer) {
    char full[PATH_MAX];
    if (snprintf(full, sizeof full, "%s%s", root, path) >= static_cast<int>(sizeof full))
        return error("open", path, ENAMETOOLONG);
    UniqueFd fd(open(full, O_RDONLY | O_CLOEXEC));
    if (!fd.valid())
        return error("open", full);
    std::size_t used = 0;
    ssize_t got = 0;
    do { // a file of /proc gives a page at a time
        got = read(fd.get(), buffer.data() + used, buffer.size() - used);
        if (got < 0)
            return error("read", full);
        used += static_cast<std::size_t>(got);
    } while (got > 0 && used < buffer.size());
    if (used > 0 && buffer[used - 1] == '\n')
        --used;
    return std::string_view(buffer.data(), used);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base) {
    std::uint64_t value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace tiercel::os
