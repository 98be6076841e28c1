// SPDX-License-Identifier: Apache-2.0
//
// All of privd's own interfaces, in the order in which they are used: giving privilege up
// (privilege.cpp), a session with a peer (session.cpp), the probe (modern.cpp, per_syscall.cpp).
// The command line and the two ways to run are main.cpp.
#pragma once

#include "policy/plan.h"
#include "shared/wire/channel.h"

#include <bpf/libbpf.h>
#include <sys/socket.h>

namespace tiercel::privd {

// Giving privilege up. Nothing here ever gains any, and what cannot be given up ends privd: to go
// on with more than was planned would be worse than not to run.

struct Account {
    uid_t uid;
    gid_t gid;
};

// Unless `good`, ends privd with exit code 1 and one line: what failed, on what, and errno if not
// 0.
void must(bool good, const char* what, std::string_view on = {});

// The named account; with nullptr: `tiercel` if it exists, else `nobody`, when run as root, and the
// account this process already has otherwise.
Account find_account(const char* name);

// Becomes the account, if run as root, holding at most the capabilities of `mask`; sets
// no_new_privs and not dumpable; empties the bounding, inheritable and ambient sets and locks the
// securebits, the first and the last as far as CAP_SETPCAP allows (a non-root privd has its
// bounding set from its unit).
void become(Account account, std::uint64_t mask);

// Drops, for good, every capability that is not in `mask`. Gives what is left.
std::uint64_t hold_only(std::uint64_t mask);

// A conversation with one peer, from its request to the hand-over and, with a door, beyond. The
// peer's whole input grammar is the table of session.cpp.

constexpr uid_t any_uid = ~0u;

struct Session {
    policy::Plan plan;
    wire::Reply refusal;    // of every request, unless its status is ok: privd lacks what it needs
    bool door = false;      // stay after the hand-over and open files of /proc
    bool stay = false;      // stay after the hand-over, to end when the peer does; answer nothing
    uid_t serves = any_uid; // the only uid that is served
    os::UniqueFd socket = {};
    ucred peer = {}; // the analyzer's process
    policy::Phase phase = policy::Phase::load;

    // Serves until the peer closes, breaks the protocol or has everything. The first error is the
    // session's, never privd's: the caller takes the next peer unless phase is past load.
    os::Result<void> run();
};

// The door opens one file of /proc of an enumerated menu, and never reads it. `failure` is 0 with a
// valid fd, or an errno: EINVAL for what is not on the menu.
os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure);

// What goes to the analyzer, by kind and in the order in which it will have it. Nothing but the
// rings can be written through these. Fixed room: nothing the peer says makes privd allocate.
struct Handover {
    os::UniqueFd fds[wire::kinds][wire::fds_of_kind_max];
    std::uint32_t count[wire::kinds] = {};

    // Owns `fd` from now on. False when it is invalid or there is no room.
    bool add(wire::Kind kind, int fd) {
        os::UniqueFd owned(fd);
        auto row = static_cast<std::size_t>(kind);
        if (!owned.valid() || count[row] == wire::fds_of_kind_max)
            return false;
        fds[row][count[row]++] = std::move(owned);
        return true;
    }
    // Closes all but the rings.
    void clear() {
        for (std::size_t row = 1; row < wire::kinds; ++row)
            while (count[row] > 0)
                fds[row][--count[row]].reset();
    }
};

// Loads and attaches as the (checked) request says, for an analyzer whose process is `self`.
// Returns a Reply that is complete but for the numbers of fds and the door. On failure nothing
// stays attached once `into` is destroyed. What is attached stays so as long as its fd is open
// anywhere.
wire::Reply start_modern(const wire::Request& request, pid_t self, Handover& into);

// libbpf's last complaint, "" if there was none: one line for the journal.
extern char libbpf_complaint[256];

// Attaches the loaded object to each wanted syscall's own functions, and adds what must stay open.
// False with errno.
bool attach_per_syscall(bpf_object* object, const unsigned long long* interest, Handover& into);

} // namespace tiercel::privd
