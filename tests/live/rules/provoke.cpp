// SPDX-License-Identifier: Apache-2.0
//
// provoke: does one thing that a rule is about and that no ordinary command does alone. Copied
// under the name of another program, it is that program to the rules. `provoke` without arguments
// lists what it can do. Exit codes: 0 done, 1 the kernel refused, 2 usage.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/mount.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/live/harness/uring.h"

namespace {

int report(bool good, const char* what) {
    if (!good)
        std::fprintf(stderr, "provoke: %s: %s\n", what, std::strerror(errno));
    return good ? 0 : 1;
}

// The exit code of a child that runs `body`.
template <typename Body>
int in_child(Body body) {
    const pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return report(false, "fork");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run_program(char** words) {
    execvp(words[0], words);
    return report(false, words[0]);
}

int spawn(char** words) {
    return in_child([words] { return run_program(words); });
}

// The caller leads a session without a terminal; the new one becomes its own.
int spawn_on_terminal(char** words) {
    int ours = -1, terminal = -1;
    if (openpty(&ours, &terminal, nullptr, nullptr, nullptr) != 0 ||
        ioctl(terminal, TIOCSCTTY, 0) != 0)
        return report(false, "take a terminal");
    return spawn(words);
}

int run_from_memory(char** words) {
    const int memory = memfd_create("provoke", MFD_CLOEXEC);
    const int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char part[65536];
    for (ssize_t got; (got = read(self, part, sizeof part)) > 0;)
        if (write(memory, part, static_cast<std::size_t>(got)) != got)
            return report(false, "write to memory");
    return in_child([memory, words] {
        char* environment[] = {nullptr};
        syscall(SYS_execveat, memory, "", words, environment, AT_EMPTY_PATH);
        return report(false, "execveat");
    });
}

int run_script_from_memory(char** words) {
    constexpr char kScript[] = "#!/bin/sh\n:\n";
    const int memory = memfd_create("provoke", 0); // the interpreter reads it by its number
    if (write(memory, kScript, sizeof kScript - 1) < 0)
        return report(false, "write to memory");
    return in_child([memory, words] {
        char* environment[] = {nullptr};
        char name[] = "script";
        char* arguments[] = {name, words[0], nullptr};
        syscall(SYS_execveat, memory, "", arguments, environment, AT_EMPTY_PATH);
        return report(false, "execveat");
    });
}

int make_uring(char**) {
    return report(tiercel::live::Uring().good(), "io_uring_setup");
}

int open_by_uring(char** words) {
    tiercel::live::Uring uring;
    if (!uring.good())
        return report(false, "io_uring_setup");
    const auto opening =
        tiercel::live::operation(IORING_OP_OPENAT, AT_FDCWD, words[0], 0, 0, O_RDONLY);
    return report(uring.run(opening) >= 0, words[0]);
}

int take_name(char** words) {
    return report(prctl(PR_SET_NAME, words[0]) == 0, words[0]);
}

// The bits are octal. The call is younger than the libraries.
int change_mode(char** words) {
    constexpr long kFchmodat2 = 452;
    return report(syscall(kFchmodat2, AT_FDCWD, words[1], std::strtol(words[0], nullptr, 8), 0) ==
                      0,
                  words[1]);
}

// Mounts an empty file system on the directory, in a mount namespace of its own.
int mount_by_descriptors(char** words) {
    constexpr long kMoveMount = 429, kFsopen = 430, kFsconfig = 431, kFsmount = 432;
    if (unshare(CLONE_NEWNS) != 0)
        return report(false, "unshare");
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    const long context = syscall(kFsopen, "tmpfs", 0);
    syscall(kFsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    const long made = syscall(kFsmount, context, 0, 0);
    constexpr unsigned kFromDescriptor = 4; // MOVE_MOUNT_F_EMPTY_PATH
    return report(syscall(kMoveMount, made, "", AT_FDCWD, words[0], kFromDescriptor) == 0,
                  words[0]);
}

int open_later(char** words) {
    sleep(static_cast<unsigned>(std::atoi(words[0])));
    return report(open(words[1], O_RDONLY | O_CLOEXEC) >= 0, words[1]);
}

// A stream connection to ourselves, over the loopback interface.
int connection() {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    socklen_t length = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* general = reinterpret_cast<sockaddr*>(&address);
    const bool good = bind(server, general, length) == 0 && listen(server, 1) == 0 &&
                      getsockname(server, general, &length) == 0 &&
                      connect(client, general, length) == 0;
    return good ? client : -1;
}

int redirect_to_network(char**) {
    return report(dup2(connection(), STDIN_FILENO) == STDIN_FILENO, "redirect to a connection");
}

int redirect_to_file(char** words) {
    return report(dup2(open(words[0], O_RDONLY | O_CLOEXEC), STDIN_FILENO) == STDIN_FILENO,
                  "redirect to a file");
}

// The loopback interface of a network of our own gets the whole class B network of the address, so
// that nothing leaves the machine.
int connect_in_own_network(char** words) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[1])));
    if (inet_pton(AF_INET, words[0], &address.sin_addr) != 1 || unshare(CLONE_NEWNET) != 0)
        return report(false, "a network of our own");
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    std::memcpy(&request.ifr_addr, &address, sizeof address);
    if (ioctl(control, SIOCSIFADDR, &request) != 0)
        return report(false, "give the interface its address");
    request.ifr_flags = IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request) != 0)
        return report(false, "start the interface");
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* general = reinterpret_cast<const sockaddr*>(&address);
    return report(bind(server, general, sizeof address) == 0 && listen(server, 1) == 0 &&
                      connect(client, general, sizeof address) == 0,
                  "connect");
}

int connect_to_unix_socket(char** words) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, words[0], sizeof address.sun_path - 1);
    const auto* general = reinterpret_cast<const sockaddr*>(&address);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = bind(server, general, sizeof address) == 0 && listen(server, 1) == 0 &&
                      connect(client, general, sizeof address) == 0;
    unlink(words[0]);
    return report(good, words[0]);
}

int packet_socket(char**) {
    return report(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0, "packet socket");
}

int ordinary_socket(char**) {
    return report(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0, "socket");
}

// Asks for a module with no descriptor behind it: the rules are about the attempt.
int load_module(char**) {
    return syscall(SYS_finit_module, -1, "", 0) == -1 ? 0 : 1;
}

int enter_namespace(char**) {
    const int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return report(setns(own, CLONE_NEWNET) == 0, "enter a namespace");
}

int attach(char**) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    int status = 0;
    const bool good =
        ptrace(PTRACE_ATTACH, child, nullptr, nullptr) == 0 && waitpid(child, &status, 0) == child;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return report(good, "attach");
}

int ask_to_be_traced(char**) {
    return in_child([] { return report(ptrace(PTRACE_TRACEME) == 0, "be traced"); });
}

int hard_link(char** words) {
    // Whether both are on one file system does not matter: the rules are about the attempt.
    if (link(words[0], words[1]) == 0)
        unlink(words[1]);
    return 0;
}

int succeed(char**) {
    return 0;
}

constexpr struct Action {
    const char* name;
    int words; // at least
    int (*run)(char**);
    const char* usage;
} kActions[] = {
    {"succeed", 0, succeed, ""},
    {"spawn", 1, spawn, "COMMAND..."},
    {"spawn-on-terminal", 1, spawn_on_terminal, "COMMAND..."},
    {"run-from-memory", 1, run_from_memory, "NAME ACTION..."},
    {"run-script-from-memory", 0, run_script_from_memory, ""},
    {"make-uring", 0, make_uring, ""},
    {"open-by-uring", 1, open_by_uring, "FILE"},
    {"take-name", 1, take_name, "NAME"},
    {"change-mode", 2, change_mode, "MODE FILE"},
    {"mount-by-descriptors", 1, mount_by_descriptors, "DIRECTORY"},
    {"open-later", 2, open_later, "SECONDS FILE"},
    {"redirect-to-network", 0, redirect_to_network, ""},
    {"redirect-to-file", 1, redirect_to_file, "FILE"},
    {"connect-in-own-network", 2, connect_in_own_network, "ADDRESS PORT"},
    {"connect-to-unix-socket", 1, connect_to_unix_socket, "PATH"},
    {"packet-socket", 0, packet_socket, ""},
    {"ordinary-socket", 0, ordinary_socket, ""},
    {"load-module", 0, load_module, ""},
    {"enter-namespace", 0, enter_namespace, ""},
    {"attach", 0, attach, ""},
    {"ask-to-be-traced", 0, ask_to_be_traced, ""},
    {"hard-link", 2, hard_link, "OLD NEW"},
};

} // namespace

int main(int argc, char** argv) {
    for (const Action& action : kActions)
        if (argc > 1 && std::strcmp(argv[1], action.name) == 0 && argc - 2 >= action.words)
            return action.run(argv + 2);
    for (const Action& action : kActions)
        std::fprintf(stderr, "provoke %s %s\n", action.name, action.usage);
    return 2;
}
