// SPDX-License-Identifier: Apache-2.0
//
// Seccomp allowlists as data, and the one function that installs them. A call that is not on the
// list ends the process with SIGSYS, and so does any call by another ABI than the native one (i386,
// x32).
#pragma once

#include <fcntl.h>
#include <seccomp.h>

#include <initializer_list>
#include <span>

#include "shared/os/result.h"

namespace tiercel::policy {

// What the arguments must be for a rule to allow its calls.
enum class Only : unsigned char {
    anything,
    not_executable, // the protection (third argument) is without PROT_EXEC
    not_both,       // the protection (third argument) is not PROT_WRITE and PROT_EXEC at once
    itself,         // the pid (first argument) is that of this process
    appending,      // flags and mode (third, fourth) are kReopenFlags and kReopenMode
    reading,        // open's or openat's flags (second, third) can neither write nor make a file
    of_the_module,  // the ioctl (second) has the type of kernel/module/uapi.h
    unix_socket,    // the domain (first) is AF_UNIX
    network_socket, // the domain (first) is AF_INET, AF_INET6, AF_NETLINK or AF_UNIX
    connected,      // sendto: the address (fifth) is null, so that the socket's own peer is meant
    bpf_commands,   // the command of bpf(2) (first) is one of kBpfCommands
    failing,        // the call is not made: it fails with EPERM, which its caller can live with
};

struct Allow {
    const char* why = "";
    std::initializer_list<int> calls; // SCMP_SYS(name)
    Only only = Only::anything;
};

// How an alert file is opened, before and after the sandbox is entered.
inline constexpr int kReopenFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
inline constexpr int kReopenMode = 0640;

// What becomes of a process that makes a call that is not on its list. `kill` ends it with SIGSYS,
// and so does `report`, which first writes one line that names the call, by the handler of
// report_refused_calls(). With `fail` the call fails with EPERM, for processes that run libraries
// which the administrator chooses.
enum class Refused : unsigned char { kill, report, fail };

// Installs the list for good, on every thread of the process; sets no_new_privs. A second list
// narrows the first, which has to allow seccomp(2) and prctl(2) for that.
os::Result<void> allow_only(std::span<const Allow> list, Refused refused = Refused::kill);

// Installs the handler of SIGSYS that Refused::report needs. Call before allow_only(); `program`
// must outlive the process's lists. A list with this handler must allow write(2).
void report_refused_calls(const char* program);

// Returns the filter of the list, which the caller releases with seccomp_release(); nullptr when
// memory is short or a rule is wrong.
scmp_filter_ctx make_filter(std::span<const Allow> list, Refused refused = Refused::kill);

} // namespace tiercel::policy
