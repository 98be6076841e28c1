// SPDX-License-Identifier: Apache-2.0
//
// Implements enricher's main(): the command line, the socket for the analyzer, and the sandbox. The
// enricher asks container runtimes on behalf of the analyzer and passes their answers on unread.
#include <getopt.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdio>
#include <cstdlib>

#include "enricher/relay.h"
#include "policy/privilege/enricher_syscalls.h"
#include "shared/os/inherited.h"
#include "shared/os/listener.h"

using namespace tiercel;
using os::UniqueFd;
using wire::enrich::Runtime;

namespace {

constexpr char kHelp[] =
    "enricher " TIERCEL_VERSION ": asks container runtimes for names and images, for the analyzer\n"
    "usage: enricher [OPTION]...\n"
    "--socket     where the analyzer connects; default: the socket that systemd passes\n"
    "--peer-user  the only account that may connect; default: tiercel\n"
    "--docker     Docker's socket; default: /run/docker.sock. An empty PATH leaves it out\n"
    "--podman     Podman's; default: /run/podman/podman.sock\n"
    "--containerd containerd's; default: /run/containerd/containerd.sock\n"
    "--crio       CRI-O's; default: /run/crio/crio.sock\n"
    "--help       print this\n"
    "--version    print the version\n"
    "Exit codes: 1 failure, 2 usage. It runs until it is told to end.\n";

// Prints one line and ends the enricher if `good` is false.
void must(bool good, const char* what, std::string_view on = {}) {
    if (good)
        return;
    os::print("enricher", os::error(what, on), "");
    std::_Exit(1);
}

int usage(const char* complaint, const char* what) {
    os::write_stderr("enricher: %s%s; see enricher --help\n", complaint, what);
    return 2;
}

uid_t uid_of(const char* name) {
    const passwd* entry = getpwnam(name);
    errno = 0; // getpwnam(3) sets no errno for a user that does not exist
    must(entry != nullptr, "find the user", name);
    return entry->pw_uid;
}

os::Result<void> serve_one(UniqueFd peer, uid_t served, const enricher::Paths& paths) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    // A send fails after five seconds, because an analyzer that does not read must not block the
    // enricher.
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    if (getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
        setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return os::error("take", "a peer");
    if (credentials.uid != served)
        return os::error("serve", "this user", EPERM);
    return enricher::serve(peer, paths);
}

// Serves one peer after another until a signal ends the process. An error ends the session only.
[[noreturn]] void run(const UniqueFd& listener, uid_t served, const enricher::Paths& paths) {
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0,
         "give up privilege");
    policy::report_refused_calls("enricher");
    must(policy::allow_only(policy::kEnricherSteady, policy::Refused::report).has_value(),
         "install a seccomp filter");
    for (;;) {
        UniqueFd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        must(peer.valid(), "take a peer");
        if (const auto served_one = serve_one(std::move(peer), served, paths); !served_one)
            os::print("enricher", served_one.error(), "waiting for the next peer");
    }
}

// The options. Each is the index of its value in main().
enum Given : int {
    unknown = '?',
    help_wanted = 1,
    version,
    own_socket,
    peer,
    docker,
    podman,
    containerd,
    crio,
    count
};

constexpr option kTable[] = {{"socket", required_argument, nullptr, own_socket},
                             {"peer-user", required_argument, nullptr, peer},
                             {"docker", required_argument, nullptr, docker},
                             {"podman", required_argument, nullptr, podman},
                             {"containerd", required_argument, nullptr, containerd},
                             {"crio", required_argument, nullptr, crio},
                             {"help", no_argument, nullptr, help_wanted},
                             {"version", no_argument, nullptr, version},
                             {}};

const char* path_or(const char* given, const char* standard) {
    return given == nullptr ? standard : *given == '\0' ? nullptr : given;
}

} // namespace

int main(int argc, char** argv) {
    os::inherited();
    const char* values[count] = {};
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "", kTable, nullptr)) != -1;) {
        if (chosen == unknown)
            return usage("unknown or incomplete option ", argv[optind - 1]);
        values[chosen] = optarg != nullptr ? optarg : "";
    }
    if (values[help_wanted] != nullptr || values[version] != nullptr)
        return fputs(values[help_wanted] != nullptr ? kHelp : "enricher " TIERCEL_VERSION "\n",
                     stdout) < 0;
    if (optind < argc)
        return usage("unexpected argument ", argv[optind]);
    must((errno = 0, geteuid() != 0),
         "run as root: it needs no privilege; give it a user of its own");
    enricher::Paths paths{};
    const auto set = [&paths](Runtime runtime, const char* path) {
        paths[static_cast<std::size_t>(runtime)] = path;
    };
    set(Runtime::docker, path_or(values[docker], "/run/docker.sock"));
    set(Runtime::podman, path_or(values[podman], "/run/podman/podman.sock"));
    set(Runtime::containerd, path_or(values[containerd], "/run/containerd/containerd.sock"));
    set(Runtime::crio, path_or(values[crio], "/run/crio/crio.sock"));
    const uid_t served = uid_of(values[peer] != nullptr ? values[peer] : "tiercel");
    auto listener = values[own_socket] != nullptr
                        ? os::listen_at(values[own_socket], SOCK_SEQPACKET)
                        : os::passed_listener(SOCK_SEQPACKET);
    if (!listener) {
        os::print("enricher", listener.error(), "");
        return 1;
    }
    run(*listener, served, paths);
}
