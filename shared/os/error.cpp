// SPDX-License-Identifier: Apache-2.0
//
// Implements errors: making one where a call has failed, and printing one as a line on stderr.
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "shared/os/result.h"

namespace tiercel::os {

Error error(const char* what, std::string_view on, int number) {
    Error made{what, {}, number};
    on.copy(made.on, sizeof made.on - 1);
    return made;
}

void write_stderr(const char* format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (wanted <= 0)
        return;
    std::size_t bytes = std::min(static_cast<std::size_t>(wanted), sizeof line - 1);
    if (bytes < static_cast<std::size_t>(wanted))
        line[bytes - 1] = '\n'; // a line that was cut still ends
    // Nothing can be done about a line that cannot be written.
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, line, bytes);
}

void print(const char* program, const Error& error, std::string_view todo) {
    char reason[64] = "";
    if (error.number != 0)
        snprintf(reason, sizeof reason, ": %s (errno %d)", strerrordesc_np(error.number),
                 error.number);
    write_stderr("%s: cannot %s%s%s%s%s%.*s\n", program, error.what, error.on[0] ? " " : "",
                 error.on, reason, todo.empty() ? "" : "; ", static_cast<int>(todo.size()),
                 todo.data());
}

} // namespace tiercel::os
