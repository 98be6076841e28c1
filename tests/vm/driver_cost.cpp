// SPDX-License-Identifier: Apache-2.0
//
// driver_cost: what the kernel drivers cost and lose, side by side. For tests/vm/measure-drivers.
//
//   driver_cost cost DRIVER...   ns per lseek(2): bare, and with its event captured by each driver
//   driver_cost rate DRIVER...   what each loses at half the highest rate that the first sustains
//
// DRIVER is a name of privd's --driver. Exit codes: 0, 1 when something could not be measured.
#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/counters.h"
#include "analyzer/ring/perf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "shared/wire/client.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace tiercel;

namespace {

constexpr int rounds = 5, calls_of_a_round = 2000;

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "driver_cost: %s\n", what.c_str());
    std::exit(1);
}

double now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void pin_to_cpu(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

// One driver at work, for as long as this lives: lseek is wanted, of every process but this one.
class Driver {
  public:
    Driver(const std::string& name, std::uint32_t ring_bytes) {
        const std::string path = "/tmp/driver_cost." + std::to_string(getpid());
        privd_ = fork();
        if (privd_ == 0) {
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
        waitpid(privd_, nullptr, 0); // it has left
    }
    void drain() {
        while (rings_->batch([](const ring::RingEvent&) { return true; }) > 0) {
        }
    }
    [[nodiscard]] ring::CpuCounts totals() const { return counters_->total(); }

  private:
    pid_t privd_ = -1;
    wire::client::Session session_;
    std::optional<ring::RingSet> rings_;
    std::optional<ring::Counters> counters_;
};

// lseek(-1, n): a syscall that does nothing but fail. In a child, for the drivers leave their
// reader's own calls out. ns a call: the best round, which the machine disturbed least.
double call_ns(Driver* driver) {
    double best = 1e18;
    for (int round = 0; round < rounds; ++round) {
        int ends[2];
        if (pipe(ends) != 0)
            give_up("no pipe");
        if (const pid_t child = fork(); child == 0) {
            pin_to_cpu(1);
            for (int i = 0; i < 100; ++i)
                syscall(SYS_lseek, -1, 0L, SEEK_SET);
            const double begin = now_ns();
            for (long i = 0; i < calls_of_a_round; ++i)
                syscall(SYS_lseek, -1, i, SEEK_SET);
            const double spent = now_ns() - begin;
            _exit(write(ends[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
        } else {
            waitpid(child, nullptr, 0);
        }
        double spent = 0;
        if (read(ends[0], &spent, sizeof spent) != sizeof spent)
            give_up("a round gave no figure");
        close(ends[0]);
        close(ends[1]);
        best = std::min(best, spent / calls_of_a_round);
        if (driver != nullptr)
            driver->drain();
    }
    return best;
}

int cost(const std::vector<std::string>& names) {
    const double bare = call_ns(nullptr);
    std::printf("%-12s %8.0f ns a call\n", "bare", bare);
    double first = 0;
    for (const std::string& name : names) {
        Driver driver(name, 1 << 20);
        const double with = call_ns(&driver);
        const auto totals = driver.totals();
        if (totals.events < std::uint64_t{rounds} * calls_of_a_round || totals.dropped() != 0)
            give_up(name + ": the events did not come, or were dropped");
        first = first == 0 ? with - bare : first;
        std::printf("%-12s %8.0f ns a call, %.0f an event: %.2f of %s\n", name.c_str(), with,
                    with - bare, (with - bare) / first, names.front().c_str());
    }
    return 0;
}

struct Flood {
    std::uint64_t events, drops;
    bool kept_pace;
};

// A second of calls at `rate`, in bursts of a millisecond, while this process reads.
Flood flood(Driver& driver, double rate) {
    const auto before = driver.totals();
    auto* late = static_cast<std::atomic<int>*>(mmap(nullptr, sizeof(std::atomic<int>),
                                                     PROT_READ | PROT_WRITE,
                                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const pid_t child = fork();
    if (child == 0) {
        pin_to_cpu(1);
        const double begin = now_ns();
        for (int burst = 0; burst < 1000; ++burst) {
            for (double i = 0; i < rate / 1000; ++i)
                syscall(SYS_lseek, -1, 0L, SEEK_SET);
            while (now_ns() < begin + (burst + 1) * 1e6) {
            }
        }
        *late = now_ns() > begin + 1.2e9;
        _exit(0);
    }
    pin_to_cpu(0);
    while (waitpid(child, nullptr, WNOHANG) == 0)
        driver.drain();
    const auto after = driver.totals();
    const Flood seen{after.events - before.events, after.dropped() - before.dropped(), *late == 0};
    munmap(late, sizeof *late);
    return seen;
}

int rate(const std::vector<std::string>& names) {
    constexpr std::uint32_t ring_bytes = 1 << 20;
    double sustained = 0;
    {
        Driver driver(names.front(), ring_bytes);
        for (double tried = 2000; tried < 1e7; tried *= 1.5) {
            const Flood seen = flood(driver, tried);
            if (seen.drops != 0 || !seen.kept_pace)
                break;
            sustained = tried;
        }
    }
    if (sustained == 0)
        give_up(names.front() + " sustains nothing here");
    // At the very edge it is the reader's luck with the scheduler that decides.
    std::printf("%s sustains %.0f events a second; at half of that:\n", names.front().c_str(),
                sustained);
    bool lost = false;
    for (const std::string& name : names) {
        Driver driver(name, ring_bytes);
        const Flood seen = flood(driver, sustained / 2);
        std::printf("%-12s %8llu events, %llu lost\n", name.c_str(),
                    static_cast<unsigned long long>(seen.events),
                    static_cast<unsigned long long>(seen.drops));
        lost |= seen.drops != 0;
    }
    return lost ? 1 : 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 2 || (words[0] != "cost" && words[0] != "rate")) {
        std::fprintf(stderr, "usage: driver_cost cost|rate DRIVER...\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return (words[0] == "cost" ? cost : rate)({words.begin() + 1, words.end()});
}
