// SPDX-License-Identifier: Apache-2.0
#include "courier/pull/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace tiercel::courier {

std::string run_in_child(const char* name, unsigned seconds, const std::function<int()>& work) {
    const pid_t child = fork();
    if (child < 0)
        return std::string("cannot start a process: ") + std::strerror(errno);
    if (child == 0) {
        prctl(PR_SET_NAME, name, 0, 0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        std::signal(SIGALRM, SIG_DFL);
        alarm(seconds);
        _exit(work());
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return "it took longer than " + std::to_string(seconds) + " s";
    if (WIFSIGNALED(status))
        return std::string("its process was ended by ") + strsignal(WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? "" : "exit code " + std::to_string(WEXITSTATUS(status));
}

} // namespace tiercel::courier
