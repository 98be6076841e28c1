// SPDX-License-Identifier: Apache-2.0
//
// The analyzer's side of the protocol: ask_*() pairs with privd's answer_*().
#pragma once

#include <string>
#include <vector>

#include "shared/wire/channel.h"

namespace tiercel::wire::client {

struct Session {
    Reply reply; // when reply.status is not ok, there are no fds: print describe(reply)
    std::vector<os::UniqueFd> rings, counters, links, iter_task, iter_task_file, wakeups;
};

// Sends `request` and receives the whole hand-over. The socket stays the caller's, and serves
// ask_door() afterwards when reply.door is 1; otherwise it may be closed. A refusal by privd is a
// Session whose reply says why; an Error means that no valid answer came (privd died, is of another
// version, or sent something that is not this protocol). Blocks.
os::Result<Session> open_session(const os::UniqueFd& socket, const Request& request);

// Opens one file of /proc/PID that is no link. The error's number is that of privd's open: ESRCH or
// ENOENT when the process has gone, EACCES when privd may not. Blocks.
os::Result<os::UniqueFd> ask_door(const os::UniqueFd& socket, std::int32_t pid, ProcFile file);

// Reads where a link of /proc/PID leads. Errors as above. Blocks.
os::Result<std::string> ask_link(const os::UniqueFd& socket, std::int32_t pid, ProcFile link);

// Returns how long the capability was held, in nanoseconds.
constexpr std::uint64_t held_ns(std::span<const Held> held, int capability) {
    std::uint64_t sum = 0;
    for (const Held& each : held)
        sum += (each.capabilities >> capability & 1) != 0 ? each.ns : 0;
    return sum;
}

struct Received {
    std::size_t bytes = 0;
    std::size_t fds = 0;
};

// receive_record() with room for fds.size() fds (at most kFdsPerMessage), close-on-exec. More than
// that are closed by the kernel, and EMSGSIZE.
os::Result<Received> receive_with_fds(const os::UniqueFd& socket, void* record, std::size_t bytes,
                                      std::span<os::UniqueFd> fds);

// Connects to privd's socket. ENOENT, ECONNREFUSED: it does not run. EACCES: not for this user.
os::Result<os::UniqueFd> connect_to(const char* path);

// One line, without a newline: what failed, why, and what to do.
std::string describe(const Reply& reply);

// Returns "tracepoint", "per_syscall", "auto", or "unknown" for a number that is none of these.
const char* name(Attach attach);

// Returns the values that --driver takes, "auto, modern_bpf, …", for help texts and refusals.
std::string driver_options();

// Returns the values that engine.kind takes besides "auto": Falco's names, "modern_ebpf, ebpf, …".
std::string driver_kinds();

} // namespace tiercel::wire::client
