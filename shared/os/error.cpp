// SPDX-License-Identifier: Apache-2.0
#include "shared/os/result.h"

#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace tiercel::os {

Error error(const char* what, std::string_view on, int number, std::source_location origin) {
    Error made{what, {}, number, origin.file_name(), origin.line()};
    on.copy(made.on, sizeof made.on - 1);
    return made;
}

void print(const char* program, const Error& error, std::string_view todo) {
    char reason[64] = "";
    if (error.number != 0)
        snprintf(reason, sizeof reason, ": %s (errno %d)", strerrordesc_np(error.number),
                 error.number);
    const char* slash = strrchr(error.file, '/');
    dprintf(STDERR_FILENO, "%s: cannot %s%s%s%s%s%.*s [%s:%u]\n", program, error.what,
            error.on[0] ? " " : "", error.on, reason, todo.empty() ? "" : "; ",
            static_cast<int>(todo.size()), todo.data(), slash ? slash + 1 : error.file, error.line);
}

} // namespace tiercel::os
