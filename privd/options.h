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

// The drivers' programs, in the order in which `auto` prefers them: privd and a suffix.
constexpr struct Program {
    std::string_view driver;
    const char* suffix;
} programs[] = {{"modern_bpf", ""}, {"classic_bpf", "-classic"}, {"module", "-module"}};

// The driver's; nullptr: there is no such driver here.
inline const char* suffix_of(std::string_view name) {
    for (const Program& program : programs)
        if (program.driver == name)
            return program.suffix;
    return nullptr;
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
