// SPDX-License-Identifier: Apache-2.0
//
// What a driver owes privd. Each driver is a program of its own, so that none holds, or can be
// talked into, what another one needs.
#pragma once

#include "kernel/common/abi.h"
#include "policy/privilege/plan.h"
#include "policy/privilege/seccomp.h"
#include "privd/privilege.h"
#include "shared/os/unique_fd.h"
#include "shared/wire/messages.h"

#include <cstddef>
#include <span>

namespace tiercel::privd {

struct Session;

union Record {
    wire::Header header;
    wire::Request request;
    wire::DoorRequest door;
};

// What a peer can ask for, and in which phase. Without `answer`, nothing can be asked for.
struct Handler {
    wire::Type type = {};
    std::size_t bytes = 0; // of the whole record
    policy::Phase phase = {};
    os::Result<void> (*answer)(Session&, const Record&) = nullptr;
};

// What goes to the analyzer, by kind and in the order in which it is sent. Of these only the rings
// can be written. The room is fixed, so that no peer can make privd allocate.
struct Handover {
    os::UniqueFd fds[wire::kinds][wire::fds_of_kind_max];
    std::uint32_t count[wire::kinds] = {};

    // What the load's library said first, "" if nothing: one line for the journal.
    char complaint[256] = {};

    // Takes ownership of `fd`. Returns false if it is invalid or there is no room.
    bool add(wire::Kind kind, int fd);
    // Closes everything but the rings, for another way to load.
    void clear();
};

// A load in progress, for an analyzer whose process is `self`: the configuration that the request
// asks for, and the reply that comes of it. The functions of a load return false, with errno set,
// if something was refused; reply.detail is then the step that was.
struct Load {
    // `handover` must outlive this object.
    Load(const wire::Request& request, pid_t self, Handover& handover);
    // Returns the reply with the load's duration; its status is `refused` if the load is not
    // `done`.
    wire::Reply end(bool done, wire::Status refused = wire::Status::load_failed);

    wire::Reply reply;
    tiercel_config config{};
    Handover& into;
};

struct Driver {
    wire::Driver name;
    std::span<const policy::Allow> load_calls, steady_calls;

    // What can be asked for after the hand-over. With it, privd stays until its peer leaves.
    Handler after;

    // Opens by path what the driver will need, while privd still has its first account and
    // capabilities. `btf` is the value of --btf or nullptr. Returns a refusal of every request, or
    // a Reply whose status is ok.
    wire::Reply (*open)(const char* btf);

    // Prepares the load, in the new account, before the filter of the load; `mask` are the
    // capabilities of the plan. Returns as open().
    wire::Reply (*prepare)(std::uint64_t mask);

    // Loads and attaches as the request, which has been checked, says. Returns a Reply that is
    // complete but for the numbers of fds and the door. On failure nothing stays attached once
    // `into` is destroyed. What is attached stays so as long as its fd is open anywhere. Perf
    // buffers exist as long as this process or another one has them mapped.
    wire::Reply (*start)(const wire::Request& request, pid_t self, Handover& into);
};

extern const Driver modern_driver, classic_driver, module_driver;

} // namespace tiercel::privd
