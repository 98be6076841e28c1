// SPDX-License-Identifier: Apache-2.0
//
// Implements the driver of the kernel module: a device that privd opens, and no capability at all.
// kernel/module/uapi.h describes what the device understands.
#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "kernel/module/uapi.h"
#include "policy/privilege/privd_syscalls.h"
#include "privd/drivers/driver.h"

namespace tiercel::privd {

namespace {

using wire::Kind;

os::UniqueFd device;

// Called before the account changes, which need not be in the device's group.
wire::Reply open(const char*) {
    device = os::UniqueFd(::open("/dev/tiercel", O_RDWR | O_CLOEXEC));
    if (device.valid())
        return {};
    return {.status = wire::Status::load_failed, .error = errno, .detail = wire::step_open};
}

wire::Reply prepare(std::uint64_t) {
    return {};
}

// uapi.h counts its kinds as wire::Kind does.
static_assert(TIERCEL_FD_ITER_TASK_FILE == static_cast<int>(Kind::iter_task_file));

bool take(Handover& into, Kind kind, std::uint32_t index = 0) {
    unsigned long wanted = static_cast<unsigned long>(kind) << 16 | index;
    return into.add(kind, ioctl(device.get(), TIERCEL_IOC_FD, wanted));
}

// The last one taken is the link, which attaches: before it, nothing is captured.
bool take_all(Handover& into, std::uint32_t rings, std::uint32_t readers) {
    for (std::uint32_t i = 0; i < rings; ++i)
        if (!take(into, Kind::ring, i))
            return false;
    for (std::uint32_t i = 0; i < readers; ++i)
        if (!take(into, Kind::iter_task) || !take(into, Kind::iter_task_file))
            return false;
    return take(into, Kind::counters) && take(into, Kind::link);
}

wire::Reply start(const wire::Request& request, pid_t self, Handover& into) {
    Load load(request, self, into);
    load.reply.attach = wire::Attach::tracepoint;
    load.reply.detail = wire::step_ring;
    tiercel_start session{.config = load.config, .cpus = 0, .ring_count = 0};
    bool started = ioctl(device.get(), TIERCEL_IOC_START, &session) == 0;
    load.reply.cpus = session.cpus;
    load.reply.ring_count = session.ring_count;
    wire::Reply reply = load.end(started && take_all(into, session.ring_count, request.readers));
    device.reset(); // one session to an open device
    return reply;
}

constexpr auto kLoadCalls = policy::joined(policy::kPrivdLoad, policy::kPrivdLoadModule);

} // namespace

const Driver kModuleDriver{
    wire::Driver::module, kLoadCalls, policy::kPrivdSteady, {}, open, prepare, start};

} // namespace tiercel::privd
