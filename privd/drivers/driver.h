// SPDX-License-Identifier: Apache-2.0
//
// The interface of a driver. Each driver is a program of its own, so that none holds the rights
// that only another one needs.
#pragma once

#include <cstddef>
#include <span>

#include "kernel/common/abi.h"
#include "policy/privilege/plan.h"
#include "policy/privilege/seccomp.h"
#include "privd/privilege.h"
#include "shared/os/unique_fd.h"
#include "shared/wire/messages.h"

namespace tiercel::privd {

struct Session;

union Record {
    wire::Header header;
    wire::Request request;
    wire::DoorRequest door;
};

// A record that a peer may send, and the phase in which it may. Without `answer`, the peer may send
// no record.
struct Handler {
    wire::Type type = {};
    std::size_t bytes = 0; // of the whole record
    policy::Phase phase = {};
    os::Result<void> (*answer)(Session&, const Record&) = nullptr;
};

// The descriptors that privd sends to the analyzer, by kind and in the order of sending. The
// analyzer can write to the rings only. The room is fixed, so that no peer can make privd allocate.
struct Handover {
    os::UniqueFd fds[wire::kKinds][wire::kFdsOfKindMax];
    std::uint32_t count[wire::kKinds] = {};

    // The first warning of the library that loads, as one line, or "".
    char complaint[256] = {};

    // Takes ownership of `fd`. Returns false if it is invalid or there is no room.
    bool add(wire::Kind kind, int fd);
    // Closes all descriptors but the rings, before another way to load is tried.
    void clear();
};

// A load in progress, for an analyzer whose process is `self`: the configuration by the request,
// and the reply. The functions of a load return false, with errno set, if the kernel refused a
// step; reply.detail then names the step.
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

    // The record that a peer may send after the hand-over. With one, privd stays until its peer
    // leaves.
    Handler after;

    // Opens by path the files that the driver needs, while privd still has its first account and
    // capabilities. `btf` is the value of --btf or nullptr. Returns a Reply whose status is ok, or
    // the refusal that answers every request.
    wire::Reply (*open)(const char* btf);

    // Prepares the load in the new account, before the load's seccomp filter. `mask` holds the
    // capabilities of the plan. Returns as open() does.
    wire::Reply (*prepare)(std::uint64_t mask);

    // Loads and attaches as the checked request says. Returns a Reply that lacks only the numbers
    // of descriptors and the door. A program stays attached as long as any process has its
    // descriptor open; on failure, destroying `into` therefore detaches every program. Perf buffers
    // exist as long as a process has them mapped.
    wire::Reply (*start)(const wire::Request& request, pid_t self, Handover& into);
};

extern const Driver kModernDriver, kClassicDriver, kModuleDriver;

} // namespace tiercel::privd
