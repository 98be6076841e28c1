// SPDX-License-Identifier: Apache-2.0
#include "ptrace/signals.h"

#include <cstdio>

#include "shared/os/file.h"

namespace tiercel::ptrace {

namespace {

using Text = std::string_view;

// Reads a signal mask of /proc/PID/status; an empty mask if it cannot be read.
bool in_mask(Text status, Text key, int signal) {
    const auto at = status.find(key);
    if (at == Text::npos)
        return false;
    const Text rest = status.substr(at + key.size());
    const auto mask = os::parse_unsigned(rest.substr(0, rest.find('\n')), 16);
    return ((mask.value_or(0) >> (signal - 1)) & 1) != 0;
}

} // namespace

bool is_delivered(pid_t tid, int signal) {
    char path[64], buffer[8192];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", tid, tid);
    auto read = os::read_file("", path, buffer);
    const Text status = read ? *read : Text{};
    if (in_mask(status, "\nSigIgn:\t", signal))
        return false;
    const bool ignored_by_default =
        signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
    return !ignored_by_default || in_mask(status, "\nSigCgt:\t", signal);
}

int sender_of(const siginfo_t& info) {
    return info.si_signo == SIGCHLD || info.si_code <= 0 ? info.si_pid : 0;
}

} // namespace tiercel::ptrace
