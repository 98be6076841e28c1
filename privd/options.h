// SPDX-License-Identifier: Apache-2.0
//
// The command line, which privd and the programs that it becomes read alike, and how one program
// becomes another.
#pragma once

#include "shared/wire/drivers.h"

namespace tiercel::privd {

// The values of the options; nullptr or false if an option was not given.
struct Options {
    const char* user = nullptr;
    const char* peer_user = nullptr;
    const char* socket = nullptr;
    const char* driver = nullptr;
    const char* btf = nullptr;
    bool stay = false;
    bool exec = false;
    bool prove_caps = false;
    bool json = false;
    bool help = false;
    bool version = false;
    bool when_asked = false; // of privd-exec for its loaders: wait for the request, at most 10 s
    bool once = true;        // the socket was passed, so that another privd serves the next peer

    char** arguments = nullptr;  // what follows the options
    const char* wrong = nullptr; // the first option that is unknown or lacks its value
};

Options parse(int argc, char** argv);

// Returns the row of the driver that `name` stands for; nullptr if privd does not serve it. "auto"
// is the first BPF driver that the kernel's version and types allow, because one socket has one
// driver.
const wire::DriverRow* find_loader(const char* name);

constexpr int kPathMax = 4096; // PATH_MAX: with the terminating NUL

// Makes the path of the program whose name is privd and the suffixes, in this program's directory.
// Returns false with errno.
bool sibling(const char* suffix, const char* more, char (&path)[kPathMax]);

// Becomes that program. Does not return: ends the process if the program cannot be run.
[[noreturn]] void become_program(const char* suffix, const char* more, char** argv);

} // namespace tiercel::privd
