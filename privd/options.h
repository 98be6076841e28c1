// SPDX-License-Identifier: Apache-2.0
//
// The command line, which privd and the programs that it becomes read alike.
#pragma once

#include "privd/privd.h"

#include <climits>
#include <cstdio>
#include <cstring>
#include <getopt.h>
#include <unistd.h>

namespace tiercel::privd {

constexpr option option_table[] = {
    {"user", required_argument, nullptr, 'u'},   {"peer-user", required_argument, nullptr, 'p'},
    {"socket", required_argument, nullptr, 's'}, {"driver", required_argument, nullptr, 'D'},
    {"btf", required_argument, nullptr, 'b'},    {"stay", no_argument, nullptr, 'S'},
    {"exec", no_argument, nullptr, 'e'},         {"prove-caps", no_argument, nullptr, 'c'},
    {"json", no_argument, nullptr, 'j'},         {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'v'},      {},
};

// By the option's letter: its value, "" for one without, nullptr when it was not given. The first
// that is wrong, or nullptr. What follows the options begins at optind.
inline const char* parse(int argc, char** argv, const char* (&values)[128]) {
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "+", option_table, nullptr)) != -1;) {
        if (chosen == '?')
            return argv[optind - 1];
        values[chosen] = optarg ? optarg : "";
    }
    return nullptr;
}

// Returns the row of the driver that `name` stands for; nullptr if privd does not serve it. "auto"
// is the first BPF driver that the kernel's version and types allow, because one socket has one
// driver.
inline const wire::DriverRow* find_loader(std::string_view name) {
    auto wanted = wire::find_driver(name);
    if (wanted == wire::Driver::automatic) {
        policy::KernelFacts facts = policy::gather_facts();
        bool modern = facts.btf && facts.has_ring_buffer();
        wanted = modern ? wire::Driver::modern : wire::Driver::classic;
    }
    const wire::DriverRow* row = wanted ? wire::find_row(*wanted) : nullptr;
    return row != nullptr && row->loader != nullptr ? row : nullptr;
}

// Becomes the program whose name is privd with the suffixes, from this program's directory.
inline void become_program(const char* suffix, const char* more, char** argv) {
    char path[PATH_MAX] = {};
    must(readlink("/proc/self/exe", path, sizeof path - 32) > 0, "find this program");
    char* end = strchrnul(strrchr(path, '/'), '-');
    snprintf(end, static_cast<std::size_t>(path + sizeof path - end), "%s%s", suffix, more);
    execv(path, argv);
    must(false, "run", path);
}

} // namespace tiercel::privd
