// SPDX-License-Identifier: Apache-2.0
//
// privd-exec, which privd becomes when no socket was passed to it. It implements the command line:
// with --exec it starts a loader for each driver that may do, and becomes the analyzer; with
// --socket it makes a listening socket and becomes the loader behind it. It loads nothing and reads
// nothing from a peer.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "privd/options.h"
#include "privd/privilege.h"
#include "shared/os/inherited.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

using namespace tiercel;
using namespace tiercel::privd;

namespace {

constexpr char kHelpBegin[] =
    "privd " TIERCEL_VERSION ": loads the probe, passes its rings to the analyzer, and exits\n"
    "  privd [OPTION...] --exec -- ANALYZER [ARGUMENT...]\n"
    "  privd [OPTION...] [--peer-user NAME] --socket PATH   (or systemd's LISTEN_FDS)\n"
    "  privd [--user NAME] --prove-caps [--driver NAME] [--json]\n"
    "  privd --help | --version\n"
    "--user       account to become, by name or number, when run as root; default: tiercel if it\n"
    "             exists, otherwise a uid that nothing else uses\n"
    "--peer-user  the only account that may connect; default: that of --user\n"
    "--driver     auto";
constexpr char kHelpEnd[] =
    "\n"
    "             Default with --exec is auto: a loader starts for each, and the analyzer takes\n"
    "             the first that works; otherwise modern_bpf\n"
    "--btf        for classic_bpf: a file that describes this kernel's types, where the kernel "
    "has\n"
    "             no BTF itself\n"
    "--stay       stay after the hand-over with no capability, until the analyzer ends: for a\n"
    "             manager that starts again whatever exits\n"
    "--prove-caps try the load with each capability removed; exit 1 if plan and kernel disagree\n"
    "A loader that holds privilege and is asked for nothing within 10 s ends. With --socket, "
    "privd\n"
    "waits without limit only where its file has the capabilities (setcap), because it then waits\n"
    "without privilege.\n"
    "Exit codes: 0 done, 1 failure, 2 usage. With --exec: the analyzer's.\n";

// Prints the names of the drivers that privd serves, each after ", ".
void print_drivers(FILE* to) {
    for (const wire::DriverRow& row : wire::kDriverTable)
        if (row.loader != nullptr)
            fprintf(to, ", %s", row.option.data());
}

int print_help() {
    fputs(kHelpBegin, stdout);
    print_drivers(stdout);
    return fputs(kHelpEnd, stdout) < 0;
}

int usage(const char* complaint, const char* what) {
    os::write_stderr("privd: %s%s; see privd --help\n", complaint, what);
    return 2;
}

int unknown_driver(const char* name) {
    fprintf(stderr, "privd: --driver is one of auto");
    print_drivers(stderr);
    os::write_stderr("; not '%s'\n", name);
    return 2;
}

// The command line of a loader, made anew: none of the analyzer's arguments is in it.
class LoaderArguments {
  public:
    LoaderArguments(const Options& options, const char* suffix, Account account) {
        snprintf(name_, sizeof name_, "privd%s", suffix);
        add(name_);
        snprintf(number_, sizeof number_, "%u", account.uid);
        bool root = geteuid() == 0;
        add_value("--user", options.user != nullptr || !root ? options.user : number_);
        add_value("--peer-user", options.peer_user);
        add_value("--btf", options.btf);
        if (options.stay)
            add("--stay");
    }
    void add(const char* word) {
        words_[used_] = const_cast<char*>(word);
        ++used_;
    }
    char** get() { return words_; }

  private:
    void add_value(const char* option, const char* value) {
        if (value == nullptr)
            return;
        add(option);
        add(value);
    }
    char name_[32];
    char number_[16];
    char* words_[12] = {};
    std::size_t used_ = 0;
};

// Standard input and output become /dev/null, because the analyzer's pipes must close when the
// analyzer closes them.
void use_no_streams() {
    os::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.valid())
        return;
    for (int stream : {STDIN_FILENO, STDOUT_FILENO})
        dup2(null.get(), stream);
}

// Makes `socket` the only descriptor of this process besides the standard streams, as the next
// program expects it (sd_listen_fds(3)).
void keep_only(const os::UniqueFd& socket) {
    use_no_streams();
    constexpr int kPassed = os::kFirstPassedFd;
    bool good = socket.get() == kPassed || dup2(socket.get(), kPassed) == kPassed;
    close_range(kPassed + 1, ~0u, 0); // the analyzer's ends of other loaders among them
    must(good && os::pass_on(1), "pass a socket on");
}

// Starts a loader as a grandchild, because its end is not the analyzer's to wait for. Returns the
// analyzer's end of its socket, which is kept over an exec: SO_PEERCRED names the process that made
// the pair, and that process becomes the analyzer.
int start_loader(const char* suffix, LoaderArguments& arguments) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "make a socket pair");
    os::UniqueFd loaders(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        pid_t loader = fork();
        if (loader != 0)
            _exit(loader < 0);
        keep_only(loaders);
        become_program(suffix, "", arguments.get());
    }
    int status = 0;
    bool started = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    must(started, "start the loader");
    must(fcntl(ends[1], F_SETFD, 0) == 0, "keep a socket");
    return ends[1];
}

// Starts the loaders. The first one loads at once; the others wait until the analyzer asks, which
// it does only if the first fails. Sets TIERCEL_PRIVD_FD to the analyzer's ends.
void start_loaders(const Options& options, wire::Driver wanted, Account account) {
    char numbers[64] = "";
    for (const wire::DriverRow& row : wire::kDriverTable) {
        bool chosen = wanted == wire::Driver::automatic || wanted == row.driver;
        if (row.loader == nullptr || !chosen)
            continue;
        LoaderArguments arguments(options, row.loader, account);
        bool first = numbers[0] == '\0';
        if (!first)
            arguments.add("--when-asked");
        int end = start_loader(row.loader, arguments);
        std::size_t used = strlen(numbers);
        snprintf(numbers + used, sizeof numbers - used, "%s%d", first ? "" : ",", end);
    }
    must(setenv("TIERCEL_PRIVD_FD", numbers, 1) == 0, "pass the sockets on");
}

// Opens the program as execvp(3) finds it, while this process may still search its directories.
os::UniqueFd open_program(const char* name) {
    if (strchr(name, '/') != nullptr)
        return os::UniqueFd(open(name, O_PATH | O_CLOEXEC));
    const char* rest = getenv("PATH");
    while (rest != nullptr && *rest != '\0') {
        const char* end = strchrnul(rest, ':');
        char path[kPathMax];
        snprintf(path, sizeof path, "%.*s/%s", static_cast<int>(end - rest), rest, name);
        if (access(path, X_OK) == 0)
            return os::UniqueFd(open(path, O_PATH | O_CLOEXEC));
        rest = *end == ':' ? end + 1 : end;
    }
    return {};
}

// Becomes the analyzer. Its path may lie below a directory that only root may search, such as a
// home of mode 0700: then the descriptor serves.
void become_analyzer(Account account, char** arguments) {
    os::UniqueFd program = open_program(arguments[0]);
    int passed = os::inherited().listen_fds;
    must(passed == 0 || os::pass_on(passed), "pass the sockets on");
    become(account, 0);
    execvp(arguments[0], arguments);
    if (errno == EACCES && program.valid())
        execveat(program.get(), "", arguments, environ, AT_EMPTY_PATH);
    must(false, "run", arguments[0]);
}

bool make_address(const char* path, sockaddr_un& address) {
    address.sun_family = AF_UNIX;
    std::size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, length + 1);
    return true;
}

os::UniqueFd make_socket() {
    return os::UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

os::UniqueFd listen_at(const char* path, Account user, Account peer) {
    sockaddr_un address{};
    errno = ENAMETOOLONG;
    must(make_address(path, address), "listen at", path);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    os::UniqueFd probe = make_socket();
    bool busy = connect(probe.get(), generic, sizeof address) == 0;
    if (!busy && errno == ECONNREFUSED)
        unlink(path); // the process that listened has ended
    umask(0117);
    os::UniqueFd listener = make_socket();
    must(bind(listener.get(), generic, sizeof address) == 0, "listen (is there another privd?) at",
         path);
    must(geteuid() != 0 || chown(path, user.uid, peer.gid) == 0, "give away", path);
    must(listen(listener.get(), 1) == 0, "listen at", path);
    return listener;
}

// Whether the loader gets its capabilities from its file, whatever this process holds.
bool has_capabilities_of_file(const char* suffix) {
    char path[kPathMax];
    bool taken = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && sibling(suffix, "", path);
    return taken && getxattr(path, "security.capability", nullptr, 0) > 0;
}

// Waits for the first peer without privilege, where an exec gives it back. Elsewhere the loader
// itself waits, with privilege and therefore for at most 10 s (server.cpp).
void wait_for_peer(const os::UniqueFd& listener, const char* suffix) {
    if (geteuid() == 0 || !has_capabilities_of_file(suffix))
        return;
    inherit_nothing();
    hold_only(0);
    pollfd peer{listener.get(), POLLIN, 0};
    must(poll(&peer, 1, -1) == 1, "wait for a peer");
}

void become_server(const Options& options, const char* suffix, Account account) {
    Account peer = options.peer_user ? find_account(options.peer_user) : account;
    os::UniqueFd listener = listen_at(options.socket, account, peer);
    wait_for_peer(listener, suffix);
    LoaderArguments arguments(options, suffix, account);
    arguments.add("--by-path");
    keep_only(listener);
    become_program(suffix, "", arguments.get());
}

// Returns what is wrong with the options, "" if nothing is; `what` is the word that it is about.
const char* check(const Options& options, const char*& what) {
    const char* argument = options.arguments[0];
    what = "";
    if (options.exec && argument == nullptr)
        return "--exec needs a command";
    if (!options.exec && argument != nullptr) {
        what = argument;
        return "unexpected argument ";
    }
    if (options.prove_caps && options.exec)
        return "--prove-caps starts nothing";
    if (options.json && !options.prove_caps)
        return "--json is for --prove-caps";
    return "";
}

} // namespace

int main(int argc, char** argv) {
    os::inherited();
    Options options = parse(argc, argv);
    if (options.wrong != nullptr)
        return usage("unknown or incomplete option ", options.wrong);
    if (options.help)
        return print_help();
    if (options.version)
        return fputs("privd " TIERCEL_VERSION "\n", stdout) < 0;
    const char* what = nullptr;
    const char* complaint = check(options, what);
    if (*complaint != '\0')
        return usage(complaint, what);
    const char* name = options.driver ? options.driver : options.exec ? "auto" : "modern_bpf";
    const wire::DriverRow* loader = find_loader(name);
    if (loader == nullptr)
        return unknown_driver(name);
    if (options.prove_caps)
        become_program(loader->loader, "-prove", argv);
    Account account = find_account(options.user);
    if (options.exec) {
        start_loaders(options, *wire::find_driver(name), account);
        become_analyzer(account, options.arguments);
    }
    errno = 0;
    must(options.socket != nullptr && os::inherited().listen_fds == 0,
         "serve: no --socket, and no socket of its type, SOCK_SEQPACKET, was passed");
    become_server(options, loader->loader, account);
}
