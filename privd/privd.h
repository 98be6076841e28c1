// SPDX-License-Identifier: Apache-2.0
//
// What the privileged programs have in common, in the order in which it is used: giving privilege
// up (privilege.cpp), a session with a peer (session.cpp), and what a driver owes (modern.cpp,
// classic.cpp, module.cpp; the first two share probe.h). The command line and the two ways to run
// are main.cpp.
#pragma once

#include "kernel/common/abi.h"
#include "policy/privilege/plan.h"
#include "policy/privilege/seccomp.h"
#include "shared/wire/channel.h"

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
// peer's whole input grammar is two records: session.cpp's, and the driver's `after`.

constexpr uid_t any_uid = ~0u;

union Record {
    wire::Header header;
    wire::Request request;
    wire::DoorRequest door;
};

struct Session {
    policy::Plan plan;
    wire::Reply refusal;    // of every request, unless its status is ok: privd lacks what it needs
    bool stay = false;      // stay after the hand-over, to end when the peer does; answer nothing
    uid_t serves = any_uid; // the only uid that is served
    os::UniqueFd socket = {};
    ucred peer = {}; // the analyzer's process
    policy::Phase phase = policy::Phase::load;

    // Serves until the peer closes, breaks the protocol or has everything. The first error is the
    // session's, never privd's: the caller takes the next peer unless phase is past load.
    os::Result<void> run();
};

// What a peer can ask for, and in which phase. Without `answer`: nothing.
struct Rule {
    wire::Type type = {};
    std::size_t bytes = 0;
    policy::Phase phase = {};
    os::Result<void> (*answer)(Session&, const Record&) = nullptr;
};

// The door opens one file of /proc of an enumerated menu, and never reads it. `failure` is 0 with a
// valid fd, or an errno: EINVAL for what is not on the menu.
os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure);
os::Result<void> answer_door(Session& session, const Record& record);

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

// A load in progress, for an analyzer whose process is `self`: the configuration that the request
// asks for, and the reply that it makes. Its functions, and those of what is made from it, are
// false, with errno set, when something was refused; reply.detail is then the step that was.
struct Load {
    Load(const wire::Request& request, pid_t self, Handover& into);
    // The answer; `refused` when not `done`.
    wire::Reply end(bool done, wire::Status refused = wire::Status::load_failed);

    wire::Reply reply;
    tiercel_config config{};
    Handover& into;
};

// Each driver is a program of its own, so that none holds, or can be talked into, what another one
// needs. This is the driver's part.
struct Driver {
    wire::Driver name;
    std::span<const policy::Allow> load_calls, steady_calls;
    Rule after; // of the hand-over; where there is one, privd stays for it until its peer leaves

    // Opens and checks, while privd still is what it was started as, what needs that; what it
    // runs for that is `user`. A refusal of every request, or a Reply whose status is ok.
    wire::Reply (*prepare)(const char* btf, Account user);

    // Loads and attaches as the (checked) request says. Returns a Reply that is complete but for
    // the numbers of fds and the door. On failure nothing stays attached once `into` is destroyed.
    // What is attached stays so as long as its fd is open anywhere. Perf buffers exist as long as
    // this process or another one has them mapped.
    wire::Reply (*start)(const wire::Request& request, pid_t self, Handover& into);
};
extern const Driver driver;

// The plan for this driver on this kernel.
inline policy::Plan plan_here() {
    return policy::plan(driver.name, policy::gather_facts());
}

// What the load's library said last, "" if nothing: one line for the journal.
extern char complaint[256];

} // namespace tiercel::privd
