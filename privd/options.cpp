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

// An option, and the member of Options that its value or its presence sets. Without a value, `text`
// is nullptr, and the member `flag` becomes `given`.
struct Row {
    const char* name = nullptr;
    const char* Options::*text = nullptr;
    bool Options::*flag = nullptr;
    bool given = true;
};

constexpr Row kTable[] = {
    {"user", &Options::user},
    {"peer-user", &Options::peer_user},
    {"socket", &Options::socket},
    {"driver", &Options::driver},
    {"btf", &Options::btf},
    {"stay", nullptr, &Options::stay},
    {"exec", nullptr, &Options::exec},
    {"prove-caps", nullptr, &Options::prove_caps},
    {"json", nullptr, &Options::json},
    {"help", nullptr, &Options::help},
    {"version", nullptr, &Options::version},
    {"when-asked", nullptr, &Options::when_asked},
    {"by-path", nullptr, &Options::once, false},
};

constexpr int kUnknown = '?'; // getopt_long's answer

void set(Options& options, const Row& row) {
    if (row.text != nullptr)
        options.*row.text = optarg;
    else
        options.*row.flag = row.given;
}

} // namespace

Options parse(int argc, char** argv) {
    Options options;
    option known[std::size(kTable) + 1] = {}; // the last one ends the list
    for (std::size_t i = 0; i < std::size(kTable); ++i)
        known[i] = {kTable[i].name, kTable[i].text ? required_argument : no_argument, nullptr,
                    static_cast<int>(i)};
    opterr = 0;
    for (int chosen = 0; chosen != -1 && options.wrong == nullptr;) {
        chosen = getopt_long(argc, argv, "+", known, nullptr);
        if (chosen == kUnknown)
            options.wrong = argv[optind - 1];
        else if (chosen >= 0)
            set(options, kTable[chosen]);
    }
    options.arguments = argv + optind;
    return options;
}

const wire::DriverRow* find_loader(const char* name) {
    auto wanted = wire::find_driver(name);
    if (wanted == wire::Driver::automatic) {
        policy::KernelFacts facts = policy::gather_facts();
        bool modern = facts.btf && facts.has_cap_bpf();
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
