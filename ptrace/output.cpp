// SPDX-License-Identifier: Apache-2.0
#include "ptrace/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "kernel/common/abi.h"
#include "ptrace/shared_memory.h"

namespace tiercel::ptrace {

namespace {

constexpr std::uint16_t kNoCpu =
    0; // finding the CPU of a stopped thread would cost another read of /proc
constexpr unsigned kLookEvery = 64; // events between two checks of the ring's fill

void add(__u64& counter) {
    __atomic_store_n(&counter, counter + 1, __ATOMIC_RELAXED); // this is the only writer
}

} // namespace

Output::Output(RingWriter ring, os::UniqueFd counters_fd, os::Mapping counters, os::UniqueFd reader,
               os::UniqueFd writer)
    : event_sink{[](event_sink* self, const void* event, unsigned size) {
                     static_cast<Output*>(self)->put({static_cast<const std::byte*>(event), size});
                 },
                 [](event_sink* self) { add(static_cast<Output*>(self)->counts().filtered); }},
      ring_(std::move(ring)), counters_fd_(std::move(counters_fd)), counters_(std::move(counters)),
      reader_(std::move(reader)), writer_(std::move(writer)) {}

os::Result<Output> Output::create(std::size_t ring_bytes) {
    auto ring = RingWriter::create(ring_bytes);
    if (!ring)
        return ring.error();
    auto fd = make_shared_memory("tiercel-counters", sizeof(tiercel_cpu_counters));
    if (!fd)
        return fd.error();
    auto counters = os::Mapping::shared(*fd, sizeof(tiercel_cpu_counters), 0,
                                        PROT_READ | PROT_WRITE, "the counters");
    if (!counters)
        return counters.error();
    if (auto sealed = seal_against_writing(*fd); !sealed)
        return sealed.error();
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return os::error("make", "a pipe");
    return Output(std::move(*ring), std::move(*fd), std::move(*counters), os::UniqueFd(ends[0]),
                  os::UniqueFd(ends[1]));
}

tiercel_cpu_counters& Output::counts() {
    return *reinterpret_cast<tiercel_cpu_counters*>(counters_.data());
}

void Output::put(std::span<const std::byte> event) {
    if (closed())
        return;
    if (event.size() > UINT16_MAX)
        return add(counts().drops[TIERCEL_DROP_TOO_LONG]);
    if (!ring_.write(event, kNoCpu))
        return add(counts().drops[TIERCEL_DROP_RING_FULL]);
    add(counts().events);
    // If the pipe is full, the reader has been woken already.
    if (counts().events % kLookEvery == 0 && ring_.pending() >= ring_.size() / 4)
        (void)!::write(writer_.get(), "", 1);
}

} // namespace tiercel::ptrace
