// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/machine.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace tiercel::bench {

void print_machine(char** argv) {
    utsname kernel{};
    uname(&kernel);
    fmt::print("machine: {} CPUs, Linux {}; command: {} {}\n", sysconf(_SC_NPROCESSORS_ONLN),
               kernel.release, argv[0], argv[1]);
}

void* shared_memory(std::size_t bytes) {
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        perror("bench: cannot map memory");
        std::exit(1);
    }
    return at;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[values.size() / 2];
}

double time_calls(int calls, int cpu, const std::function<void()>& work) {
    auto* result = static_cast<double*>(shared_memory(sizeof(double)));
    const pid_t child = fork();
    if (child == 0) {
        pin_to_cpu(cpu);
        for (int i = 0; i < calls / 10; ++i)
            work();
        const double start = now_ns();
        for (int i = 0; i < calls; ++i)
            work();
        *result = (now_ns() - start) / calls;
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    const double ns = *result;
    munmap(result, sizeof(double));
    return ns;
}

wire::Request request_for(const std::vector<int>& syscalls) {
    wire::Request request;
    for (int number : syscalls)
        request.interest[number / 64] |= 1ULL << (number % 64);
    return request;
}

namespace {

[[noreturn]] void give_up(const std::string& why) {
    fmt::print(stderr, "bench: {}\n", why);
    std::exit(1);
}

} // namespace

Probe start_probe(const std::string& bin, const wire::Request& request) {
    const std::string path = fmt::format("/tmp/tiercel-bench-{}.sock", getpid());
    const pid_t privd = fork();
    if (privd == 0) {
        const std::string program = bin + "/privd";
        execl(program.c_str(), "privd", "--peer-user", "root", "--socket", path.c_str(), nullptr);
        _exit(127);
    }
    Probe probe;
    for (int attempt = 0;; ++attempt) {
        auto socket = wire::client::connect_to(path.c_str());
        if (socket) {
            auto session = wire::client::open_session(*socket, request);
            if (!session)
                give_up("privd gave no session");
            if (session->reply.status != wire::Status::ok)
                give_up(wire::client::describe(session->reply));
            probe.session = std::move(*session);
            break;
        }
        if (attempt == 500)
            give_up("privd does not answer");
        usleep(10'000);
    }
    rusage used{};
    wait4(privd, nullptr, 0, &used);
    probe.privd_peak_kib = used.ru_maxrss;
    unlink(path.c_str());
    return probe;
}

void Report::figure(const std::string& what, const std::string& value, const std::string& bar,
                    bool holds) {
    fmt::print("{:<62} {:>14}   bar: {:<12} {}\n", what, value, bar, holds ? "holds" : "MISSED");
    all_hold_ = all_hold_ && holds;
}

void Report::note(const std::string& text) {
    fmt::print("    {}\n", text);
}

} // namespace tiercel::bench
