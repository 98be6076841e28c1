// SPDX-License-Identifier: Apache-2.0
//
// tiercel-courier: takes alerts from the analyzer, keeps them on disk, and sends them to other
// machines. Here: the command line, the configuration files, and the order of the start.
#include <curl/curl.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <pwd.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "courier/app/courier.h"
#include "courier/app/sandbox.h"
#include "courier/config/file.h"
#include "courier/destinations/destinations.h"
#include "shared/os/inherited.h"
#include "shared/os/listener.h"

using namespace tiercel;
using namespace tiercel::courier;

namespace {

constexpr int kFailure = 1, kUsage = 2;
constexpr int kArenas = 2; // of glibc's malloc: each costs memory, and alerts are few

constexpr char kHelp[] =
    "tiercel-courier " TIERCEL_VERSION ": sends alerts of the analyzer to other machines\n"
    "usage: tiercel-courier [OPTION]...\n"
    "--config        the configuration; default: /etc/tiercel/courier.yaml\n"
    "--falco-config  a falco.yaml or analyzer.yaml, of which only http_output is read\n"
    "--socket        where the analyzer connects; default: the socket that systemd passes\n"
    "--peer-user     the only account that may connect; default: tiercel\n"
    "--check         check the configuration and exit\n"
    "--help          print this\n"
    "--version       print the version\n"
    "Exit codes: 1 failure, 2 wrong usage or configuration. SIGUSR1 prints the state of each\n"
    "destination. It runs until SIGTERM.\n";

int wrong_usage(const char* complaint, const char* what) {
    fprintf(stderr, "tiercel-courier: %s%s; see tiercel-courier --help\n", complaint, what);
    return kUsage;
}

// Options by their place in main()'s values.
enum Given : int {
    kUnknown = '?',
    kHelpWanted = 1,
    kVersion,
    kCheck,
    kConfig,
    kFalcoConfig,
    kSocket,
    kPeerUser,
    kCount
};

constexpr option kOptions[] = {{"config", required_argument, nullptr, kConfig},
                               {"falco-config", required_argument, nullptr, kFalcoConfig},
                               {"socket", required_argument, nullptr, kSocket},
                               {"peer-user", required_argument, nullptr, kPeerUser},
                               {"check", no_argument, nullptr, kCheck},
                               {"help", no_argument, nullptr, kHelpWanted},
                               {"version", no_argument, nullptr, kVersion},
                               {}};

bool read_all(const char* path, const char* falco, Config& config) {
    constexpr const char* kProgram = "tiercel-courier";
    bool good = read_file(kProgram, path != nullptr ? path : kConfigPath, read_config, config);
    good = (falco == nullptr || read_file(kProgram, falco, read_falco_config, config)) && good;
    if (good && config.destinations.empty()) {
        fputs("tiercel-courier: the configuration names no destination\n", stderr);
        return false;
    }
    return good;
}

std::optional<uid_t> uid_of(const char* name) {
    if (const passwd* entry = getpwnam(name); entry != nullptr)
        return entry->pw_uid;
    os::print("tiercel-courier", os::error("find the user", name, 0), "");
    return std::nullopt;
}

int serve(const Config& config, const char* socket, uid_t served) {
    if (geteuid() == 0) {
        os::print("tiercel-courier",
                  os::error("run as root: it needs no privilege; give it a user of its own", {}, 0),
                  "");
        return kFailure;
    }
    Courier courier;
    if (!courier.open(config))
        return kUsage;
    auto listener =
        socket != nullptr ? os::listen_at(socket, SOCK_STREAM) : os::passed_listener(SOCK_STREAM);
    if (!listener) {
        os::print("tiercel-courier", listener.error(), "");
        return kFailure;
    }
    if (auto confined = enter_sandbox(config); !confined) {
        os::print("tiercel-courier", confined.error(), "");
        return kFailure;
    }
    if (!courier.run(*std::move(listener), served))
        std::_Exit(0);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    os::inherited();
    const char* values[kCount] = {};
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        if (chosen == kUnknown)
            return wrong_usage("unknown or incomplete option ", argv[optind - 1]);
        values[chosen] = optarg != nullptr ? optarg : "";
    }
    if (values[kHelpWanted] != nullptr || values[kVersion] != nullptr)
        return fputs(values[kHelpWanted] != nullptr ? kHelp
                                                    : "tiercel-courier " TIERCEL_VERSION "\n",
                     stdout) < 0;
    if (optind < argc)
        return wrong_usage("unexpected argument ", argv[optind]);
    mallopt(M_ARENA_MAX, kArenas);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Config config;
    if (!read_all(values[kConfig], values[kFalcoConfig], config))
        return kUsage;
    if (values[kCheck] != nullptr) {
        for (const Options& options : config.destinations)
            if (options.kind != Kind::program) // which would be started
                if (const Made made = make_destination(options); !made.destination)
                    return wrong_usage((options.name + ": ").c_str(), made.wrong.c_str());
        printf("%zu destinations are valid\n", config.destinations.size());
        return 0;
    }
    const auto served = uid_of(values[kPeerUser] != nullptr ? values[kPeerUser] : "tiercel");
    return served ? serve(config, values[kSocket], *served) : kFailure;
}
