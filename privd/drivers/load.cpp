// SPDX-License-Identifier: Apache-2.0
//
// Implements what the loads of all drivers have in common: the descriptors that will be handed
// over, the probe's configuration, and the reply.
#include <cerrno>
#include <cstring>

#include "privd/drivers/driver.h"
#include "shared/os/clock.h"

namespace tiercel::privd {

bool Handover::add(wire::Kind kind, int fd) {
    os::UniqueFd owned(fd);
    auto row = static_cast<std::size_t>(kind);
    if (!owned.valid() || count[row] == wire::kFdsOfKindMax)
        return false;
    fds[row][count[row]] = std::move(owned);
    ++count[row];
    return true;
}

void Handover::clear() {
    for (std::size_t row = 1; row < wire::kKinds; ++row)
        while (count[row] > 0)
            fds[row][--count[row]].reset();
    complaint[0] = '\0';
}

Load::Load(const wire::Request& request, pid_t self, Handover& handover) : into(handover) {
    reply.load_begin_ns = os::now_ns(CLOCK_MONOTONIC);
    reply.ring_bytes = request.ring_bytes;
    std::memcpy(config.interest, request.interest, sizeof config.interest);
    config.filter = request.filter;
    config.boot_time_ns = os::now_ns(CLOCK_REALTIME) - os::now_ns(CLOCK_BOOTTIME);
    reply.boot_time_ns = config.boot_time_ns;
    config.tracepoints = request.tracepoints;
    config.snaplen = request.snaplen;
    config.args_max = request.args_max;
    config.cpus_per_ring = request.cpus_per_ring;
    config.ring_bytes = request.ring_bytes;
    // A pid that outlives its process would hide the next process of that number.
    config.self_tgid = request.readers == 1 ? static_cast<__u32>(self) : 0;
}

wire::Reply Load::end(bool done, wire::Status refused) {
    reply.error = done ? 0 : errno;
    reply.status = done ? wire::Status::ok : refused;
    reply.load_ns = os::now_ns(CLOCK_MONOTONIC) - reply.load_begin_ns;
    return reply;
}

} // namespace tiercel::privd
