// SPDX-License-Identifier: Apache-2.0
#include "tests/vm/driver_at_work.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/perf_ring.h"

namespace tiercel::vm {

void give_up(const std::string& what) {
    std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, what.c_str());
    std::exit(1);
}

DriverAtWork::DriverAtWork(const std::string& name, std::uint32_t ring_bytes) : name_(name) {
    const std::string path = "/tmp/driver_at_work." + std::to_string(getpid());
    const pid_t privd = fork();
    if (privd == 0) {
        execlp("privd", "privd", "--user", "nobody", "--peer-user", "root", "--driver",
               name.c_str(), "--socket", path.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    os::UniqueFd socket;
    for (int i = 0; i < 1000 && !socket.valid(); ++i) {
        if (auto connected = wire::client::connect_to(path.c_str()))
            socket = *std::move(connected);
        usleep(10'000);
    }
    wire::Request request{.ring_bytes = ring_bytes, .cpus_per_ring = 1};
    request.interest[SYS_lseek / 64] |= std::uint64_t{1} << (SYS_lseek % 64);
    auto opened = wire::client::open_session(socket, request);
    if (!opened)
        give_up(name + ": privd gave no answer");
    if (opened->reply.status != wire::Status::ok)
        give_up(name + ": " + wire::client::describe(opened->reply));
    session_ = *std::move(opened);
    const bool perf = session_.reply.driver == wire::Driver::classic;
    auto rings =
        (perf ? ring::RingSet::map<ring::PerfRing>
              : ring::RingSet::map<ring::BpfRing>)(session_.rings, session_.reply.ring_bytes);
    auto counters = ring::Counters::map(session_.counters.at(0), session_.reply.cpus);
    if (!rings || !counters)
        give_up(name + ": its rings cannot be mapped");
    rings_.emplace(*std::move(rings));
    counters_.emplace(*std::move(counters));
    socket.reset();
    waitpid(privd, nullptr, 0); // it has left
}

void DriverAtWork::drain() {
    while (rings_->batch([](const ring::RingEvent&) { return true; }) > 0) {
    }
}

} // namespace tiercel::vm
