// SPDX-License-Identifier: Apache-2.0
//
// Implements the reading of the command line and the change to another program of privd's family.
#include "privd/options.h"

#include <getopt.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "policy/privilege/facts.h"
#include "privd/privilege.h"

namespace tiercel::privd {

static_assert(kPathMax == PATH_MAX);

namespace {

enum Letter : int {
    unknown = '?',
    user = 1,
    peer_user,
    socket_path,
    driver_name,
    btf,
    stay,
    exec,
    prove_caps,
    json,
    help,
    version,
    when_asked,
    by_path
};

constexpr option kTable[] = {
    {"user", required_argument, nullptr, user},
    {"peer-user", required_argument, nullptr, peer_user},
    {"socket", required_argument, nullptr, socket_path},
    {"driver", required_argument, nullptr, driver_name},
    {"btf", required_argument, nullptr, btf},
    {"stay", no_argument, nullptr, stay},
    {"exec", no_argument, nullptr, exec},
    {"prove-caps", no_argument, nullptr, prove_caps},
    {"json", no_argument, nullptr, json},
    {"help", no_argument, nullptr, help},
    {"version", no_argument, nullptr, version},
    {"when-asked", no_argument, nullptr, when_asked},
    {"by-path", no_argument, nullptr, by_path},
    {},
};

void set(Options& options, int chosen) {
    switch (chosen) {
    case user: options.user = optarg; break;
    case peer_user: options.peer_user = optarg; break;
    case socket_path: options.socket = optarg; break;
    case driver_name: options.driver = optarg; break;
    case btf: options.btf = optarg; break;
    case stay: options.stay = true; break;
    case exec: options.exec = true; break;
    case prove_caps: options.prove_caps = true; break;
    case json: options.json = true; break;
    case help: options.help = true; break;
    case version: options.version = true; break;
    case when_asked: options.when_asked = true; break;
    case by_path: options.once = false; break;
    }
}

} // namespace

Options parse(int argc, char** argv) {
    Options options;
    opterr = 0;
    for (;;) {
        int chosen = getopt_long(argc, argv, "+", kTable, nullptr);
        if (chosen == -1)
            break;
        if (chosen == unknown) {
            options.wrong = argv[optind - 1];
            break;
        }
        set(options, chosen);
    }
    options.arguments = argv + optind;
    return options;
}

const wire::DriverRow* find_loader(const char* name) {
    auto wanted = wire::find_driver(name);
    if (wanted == wire::Driver::automatic) {
        policy::KernelFacts facts = policy::gather_facts();
        bool modern = facts.btf && facts.has_ring_buffer();
        wanted = modern ? wire::Driver::modern : wire::Driver::classic;
    }
    const wire::DriverRow* row = wanted ? wire::find_row(*wanted) : nullptr;
    return row != nullptr && row->loader != nullptr ? row : nullptr;
}

bool sibling(const char* suffix, const char* more, char (&path)[kPathMax]) {
    constexpr std::size_t kLongestSuffix = 32;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - kLongestSuffix);
    if (length <= 0)
        return false;
    path[length] = '\0';
    char* end = strchrnul(strrchr(path, '/'), '-');
    snprintf(end, kLongestSuffix, "%s%s", suffix, more);
    return true;
}

void become_program(const char* suffix, const char* more, char** argv) {
    char path[kPathMax];
    must(sibling(suffix, more, path), "find this program");
    execv(path, argv);
    must(false, "run", path);
    __builtin_unreachable();
}

} // namespace tiercel::privd
