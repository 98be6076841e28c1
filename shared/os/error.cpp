// SPDX-License-Identifier: Apache-2.0
//
// Implements errors: making one where a call has failed, and printing one as a line on stderr.
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "shared/os/result.h"

namespace tiercel::os {
namespace {

// Whether the character can stand in a line as it is: printable ASCII that begins no escape, or the
// newline at the end. Lines hold text that others chose, such as paths. Their escapes are a part of
// those of shared/escape and are reversed in the same way; that library allocates, privd must not.
bool is_plain(const char* at) {
    return *at == '\n' ? at[1] == '\0'
                       : *at >= ' ' && *at <= '~' && (*at != '\\' || !strchr("xuU", at[1]));
}

} // namespace

Error error(const char* what, std::string_view on, int number) {
    Error made{what, {}, number};
    on.copy(made.on, sizeof made.on - 1);
    return made;
}

void write_stderr(const char* format, ...) {
    char line[1024] = "", shown[4 * sizeof line];
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (wanted >= static_cast<int>(sizeof line))
        line[sizeof line - 2] = '\n'; // a line that was cut still ends
    int bytes = 0;
    for (const char* at = line; *at != '\0'; ++at)
        bytes += snprintf(shown + bytes, 5, is_plain(at) ? "%c" : "\\x%02x", *at & 0xff);
    // Nothing can be done about a line that cannot be written.
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, shown, static_cast<std::size_t>(bytes));
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
