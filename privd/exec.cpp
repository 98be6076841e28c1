// SPDX-License-Identifier: Apache-2.0
//
// privd-exec, which `privd --exec` runs: an analyzer, and beside it privd for each driver that may
// do, for all but the first not before the analyzer asks. Nothing is loaded here, and nothing is
// read from anybody.
#include "privd/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

using namespace tiercel;
using namespace tiercel::privd;

namespace {

// A descriptor as the programs started with it expect it: sd_listen_fds(3), where the first is 3.
void pass_on(const os::UniqueFd& socket) {
    os::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int stream : {STDIN_FILENO, STDOUT_FILENO})
        dup2(null.get(), stream); // the analyzer's pipes must close when the analyzer closes them
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    bool good = socket.get() == 3 ? fcntl(3, F_SETFD, 0) == 0 : dup2(socket.get(), 3) == 3;
    must(good && setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", "1", 1) == 0,
         "pass a socket on");
    close_range(4, ~0u, 0); // the analyzer's ends of the others among them
}

// Starts privd for one driver as a grandchild, which is not the analyzer's to reap. Returns the
// analyzer's end of its socket, which is kept over an exec: SO_PEERCRED names its maker, and that
// process becomes the analyzer.
int start_loader(const Program& program, bool first, char** argv) {
    int ends[2], status = 0;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "make a socket pair");
    os::UniqueFd ours(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        if (pid_t loader = fork(); loader != 0)
            _exit(loader < 0);
        pass_on(ours);
        // The others are hardly ever asked, and would be in the way of the first.
        pollfd asked{3, POLLIN, 0};
        if (!first && (poll(&asked, 1, -1) != 1 || asked.revents & POLLHUP))
            _exit(0);
        become_program(program.suffix, "", argv);
    }
    must(waitpid(child, &status, 0) == child && status == 0, "start the loader");
    must(fcntl(ends[1], F_SETFD, 0) == 0, "keep a socket");
    return ends[1];
}

} // namespace

int main(int argc, char** argv) {
    const char* values[128] = {};
    must(!parse(argc, argv, values) && optind < argc, "be run but by privd --exec");
    Account user = find_account(values['u']);
    std::string_view wanted = values['D'] ? values['D'] : "auto";
    char numbers[64] = "";
    for (const Program& program : programs)
        if (wanted == "auto" || wanted == program.driver)
            snprintf(numbers + strlen(numbers), 16, "%s%d", *numbers ? "," : "",
                     start_loader(program, !*numbers, argv));
    must(setenv("TIERCEL_PRIVD_FD", numbers, 1) == 0, "pass the sockets on");
    become(user, 0);
    execvp(argv[optind], argv + optind);
    must(false, "run", argv[optind]);
}
