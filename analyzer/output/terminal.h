// SPDX-License-Identifier: Apache-2.0
//
// The size of a terminal.
#pragma once

#include <sys/ioctl.h>

namespace tiercel::output {

struct TerminalSize {
    unsigned columns = 80, rows = 24;
};

// Returns the size of the terminal on `fd`; 80 columns and 24 rows if it is none. The sandbox
// forbids ioctl(2), so call it before.
inline TerminalSize terminal_size(int fd) {
    winsize window{};
    if (ioctl(fd, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return {};
    return {window.ws_col, window.ws_row};
}

} // namespace tiercel::output
