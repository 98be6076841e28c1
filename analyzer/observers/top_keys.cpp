// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/top_keys.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tiercel::app {

namespace {

constexpr char kEscape = 27, kDelete = 127;

// Waits until the other end of the pipe closes, and sets the terminal as it was. Closes everything
// else, because an open socket of privd would make it wait.
[[noreturn]] void restore_later(int terminal, int pipe, const termios& before) {
    dup2(pipe, STDOUT_FILENO);
    dup2(terminal, STDIN_FILENO);
    close_range(STDERR_FILENO, ~0U, 0);
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTTOU})
        std::signal(signal, SIG_IGN);
    for (char byte = 0; read(STDOUT_FILENO, &byte, 1) < 0 && errno == EINTR;)
        continue;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    _exit(0);
}

} // namespace

os::Result<std::optional<TopKeys>> TopKeys::open() {
    termios before{};
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return std::optional<TopKeys>();
    os::UniqueFd terminal(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    int ends[2];
    if (!terminal.valid() || pipe2(ends, O_CLOEXEC) != 0)
        return os::error("read keys from", "the terminal");
    os::UniqueFd theirs(ends[0]), ours(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return os::error("start", "the process that restores the terminal");
    if (child == 0)
        restore_later(terminal.get(), theirs.get(), before);
    termios keys = before;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = keys.c_cc[VTIME] = 0; // read() never waits
    if (tcsetattr(STDIN_FILENO, TCSANOW, &keys) != 0)
        return os::error("set up", "the terminal");
    return std::optional<TopKeys>(TopKeys(std::move(terminal), std::move(ours)));
}

bool take_key(char key, output::Top::View& view) {
    using Sort = output::Top::Sort;
    if (view.is_typing) {
        if (key == '\n' || key == '\r')
            view.is_typing = false;
        else if (key == kEscape)
            view = {
                .sort = view.sort, .filter = {}, .is_typing = false, .is_paused = view.is_paused};
        else if ((key == kDelete || key == '\b') && !view.filter.empty())
            view.filter.pop_back();
        else if (key >= ' ' && key < kDelete)
            view.filter += key;
        return true;
    }
    switch (key) {
    case 'q': return false;
    case 'p':
    case ' ': view.is_paused = !view.is_paused; break;
    case '/': view.is_typing = true; break;
    case kEscape: view.filter.clear(); break;
    case 'e': view.sort = Sort::events; break;
    case 'n': view.sort = Sort::name; break;
    case 'c': view.sort = Sort::container; break;
    default: break;
    }
    return true;
}

bool TopKeys::take(output::Top::View& view) const {
    char keys[64];
    const ssize_t got = read(terminal_.get(), keys, sizeof keys);
    for (ssize_t i = 0; i < got; ++i)
        if (!take_key(keys[i], view))
            return false;
    return true;
}

} // namespace tiercel::app
