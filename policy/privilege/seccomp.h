// SPDX-License-Identifier: Apache-2.0
//
// Seccomp allowlists as data, and the one function that installs them. Anything that is not on the
// list kills the process, and so does any call by another ABI than the native one (i386, x32).
#pragma once

#include "shared/os/result.h"

#include <fcntl.h>
#include <initializer_list>
#include <seccomp.h>
#include <span>

namespace tiercel::policy {

// What an argument must be for the rule to allow the calls.
enum class Only : unsigned char {
    anything,
    not_executable, // protection (third argument) without PROT_EXEC
    empty_path,     // flags (fourth argument) are AT_EMPTY_PATH: the fd itself, not a path
    itself,         // pid (first argument) is that of this process
    appending, // flags (third argument) are reopen_flags: a file is made or added to, never read
    of_the_module, // the ioctl (second argument) has the type of kernel/module/uapi.h
    unix_socket,   // domain (first argument) is AF_UNIX
};

struct Allow {
    const char* why = "";
    std::initializer_list<int> calls; // SCMP_SYS(name)
    Only only = Only::anything;
};

// How an alert file is opened, before and after the sandbox is entered.
inline constexpr int reopen_flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;

// Installs the list for good, on every thread of the process; sets no_new_privs. A second list
// narrows the first, which has to allow seccomp(2) and prctl(2) for that.
os::Result<void> allow_only(std::span<const Allow> list);

// Returns the filter of the list, which the caller releases; nullptr if memory is short or a rule
// is wrong.
scmp_filter_ctx make_filter(std::span<const Allow> list);

} // namespace tiercel::policy
