// SPDX-License-Identifier: Apache-2.0
//
// privd-exec, which privd becomes when no socket was passed to it: the command line. --exec: an
// analyzer, and beside it privd for each driver that may do, for all but the first not before the
// analyzer asks. --socket: a socket that listens, and privd behind it. Nothing is loaded here, and
// nothing is read from anybody.
#include "privd/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

using namespace tiercel;
using namespace tiercel::privd;

namespace {

constexpr char help[] =
    "privd " TIERCEL_VERSION ": loads the probe, hands it over to the analyzer, and leaves\n"
    "  privd [OPTION...] --exec -- ANALYZER [ARGUMENT...]\n"
    "  privd [OPTION...] [--peer-user NAME] --socket PATH   (or systemd's LISTEN_FDS)\n"
    "  privd [--user NAME] --prove-caps [--driver NAME] [--json]\n"
    "  privd --help | --version\n"
    "--user       account to become; default: tiercel if it exists, else nobody, when run as root\n"
    "--peer-user  the only account that may connect; default: that of --user\n"
    "--driver     modern_bpf (default), classic_bpf or module. With --exec the default is auto:\n"
    "             all of them are offered, and the analyzer takes the first that works\n"
    "--btf        classic_bpf: describes this kernel's types, where it has no BTF itself\n"
    "--stay       stay after the hand-over with no capability, until the analyzer ends: for those "
    "who\n"
    "             start again whatever exits\n"
    "--prove-caps try the load with each capability removed; exit 1 if plan and kernel disagree\n"
    "Exit codes: 0 done, 1 failure, 2 usage. With --exec: the analyzer's.\n";

// A descriptor as the programs started with it expect it: sd_listen_fds(3), where the first is 3.
void pass_on(const os::UniqueFd& socket) {
    // The analyzer's pipes must close when the analyzer closes them.
    if (os::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC)); null.valid())
        for (int stream : {STDIN_FILENO, STDOUT_FILENO})
            dup2(null.get(), stream);
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
int start_loader(const char* suffix, bool first, char** argv) {
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
        become_program(suffix, "", argv);
    }
    must(waitpid(child, &status, 0) == child && status == 0, "start the loader");
    must(fcntl(ends[1], F_SETFD, 0) == 0, "keep a socket");
    return ends[1];
}

os::UniqueFd listen_at(const char* path, Account user, Account peer) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    errno = ENAMETOOLONG;
    must(strlen(path) < sizeof address.sun_path, "listen at", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    os::UniqueFd probe(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    bool busy = connect(probe.get(), generic, sizeof address) == 0;
    if (!busy && errno == ECONNREFUSED) // left behind by one that has gone
        unlink(path);
    umask(0117);
    os::UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    must(bind(listener.get(), generic, sizeof address) == 0, "listen (is there another privd?) at",
         path);
    must((geteuid() != 0 || chown(path, user.uid, peer.gid) == 0) && listen(listener.get(), 1) == 0,
         "listen at", path);
    return listener;
}

int usage(const char* complaint, const char* what) {
    fprintf(stderr, "privd: %s%s; see privd --help\n", complaint, what);
    return 2;
}

// The analyzer, with privd beside it. Does not return.
void start_pair(wire::Driver wanted, Account user, char** argv) {
    char numbers[64] = "";
    for (const wire::DriverRow& row : wire::driver_table)
        if (row.loader && (wanted == wire::Driver::automatic || wanted == row.driver))
            snprintf(numbers + strlen(numbers), 16, "%s%d", *numbers ? "," : "",
                     start_loader(row.loader, !*numbers, argv));
    must(setenv("TIERCEL_PRIVD_FD", numbers, 1) == 0, "pass the sockets on");
    become(user, 0);
    execvp(argv[optind], argv + optind);
    must(false, "run", argv[optind]);
}

} // namespace

int main(int argc, char** argv) {
    const char* values[128] = {}; // by the option's letter
    if (const char* wrong = parse(argc, argv, values))
        return usage("unknown or incomplete option ", wrong);
    if (values['h'] || values['v'])
        return fputs(values['h'] ? help : "privd " TIERCEL_VERSION "\n", stdout) < 0;
    if (!values['e'] != (optind == argc))
        return usage(values['e'] ? "--exec needs a command" : "unexpected argument ",
                     values['e'] ? "" : argv[optind]);
    const char* name = values['D'] ? values['D'] : values['e'] ? "auto" : "modern_bpf";
    const wire::DriverRow* chosen = find_loader(name);
    if (!chosen)
        return usage("there is no such driver here: ", name);
    if (values['c'] && values['e'])
        return usage("--prove-caps starts nothing", "");
    if (values['c'])
        become_program(chosen->loader, "-prove", argv);
    if (values['j'])
        return usage("--json is for --prove-caps", "");
    Account user = find_account(values['u']);
    if (values['e'])
        start_pair(*wire::find_driver(name), user, argv);
    const char* passed = getenv("LISTEN_PID");
    errno = 0;
    must(values['s'] && (!passed || atoi(passed) != getpid()),
         "serve: no --socket, and no socket of its type, SOCK_SEQPACKET, was passed");
    os::UniqueFd listener =
        listen_at(values['s'], user, values['p'] ? find_account(values['p']) : user);
    pass_on(listener);
    become_program(chosen->loader, "", argv);
}
