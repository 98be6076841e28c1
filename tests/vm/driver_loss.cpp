// SPDX-License-Identifier: Apache-2.0
//
// driver_loss DRIVER...: the highest rate of events that the first driver sustains, and what each
// loses at that rate, in turns. For tests/vm/measure-drivers. The reader does nothing by itself: it
// sleeps until the driver wakes it.
//
// An emulated machine's CPUs are threads of a busy host, which may leave the reader's without time
// for longer than a ring lasts; then every driver loses. A witness on the reader's CPU tells these
// runs from those that say something of the driver: what is lost while that CPU stood still does
// not count, and the run is repeated.
//
// DRIVER is a name of privd's --driver. Exit codes: 0 nothing lost; 1 a driver lost events, or
// nothing could be measured.
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/vm/driver_at_work.h"

using namespace tiercel;
using namespace tiercel::vm;

namespace {

constexpr int kBursts = 3000;      // of a run, a millisecond each
constexpr int kRuns = 5;           // none of which may lose anything
constexpr int kMostRepeats = 10;   // of a run that says nothing of the driver
constexpr double kTolerance = 0.1; // of time, when pace is kept
constexpr int kReaderCpu = 0, kCallerCpu = 1;
constexpr unsigned kEventBytes = 104; // an lseek's record in a perf buffer; in a BPF ring it has 72
constexpr int kRingMs = 500;          // what a ring has room for, at the least

struct Standstill {
    std::atomic<double> longest_ns = 0, sum_ns = 0;
};

// Says how long the reader's CPU stood still: a process there that outranks every other, and asks
// for naps of two milliseconds. Those that become twice as long count.
class Witness {
  public:
    Witness()
        : seen_(static_cast<Standstill*>(mmap(nullptr, sizeof(Standstill), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
          process_(fork()) {
        if (process_ == 0)
            watch();
    }
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;
    ~Witness() {
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        munmap(seen_, sizeof *seen_);
    }
    [[nodiscard]] const Standstill& seen() const { return *seen_; }

  private:
    [[noreturn]] void watch() {
        constexpr unsigned kNapUs = 2000;
        const sched_param first{.sched_priority = 1};
        pin_to_cpu(kReaderCpu);
        if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
            give_up("the witness gets no priority");
        for (double before = now_ns();;) {
            usleep(kNapUs);
            const double after = now_ns(), more = after - before - kNapUs * 1e3;
            before = after;
            if (more > kNapUs * 1e3) {
                seen_->longest_ns = std::max(seen_->longest_ns.load(), more);
                seen_->sum_ns = seen_->sum_ns + more;
            }
        }
    }

    Standstill* seen_;
    pid_t process_;
};

struct Run {
    std::uint64_t events, lost;
    double late_ns;                 // the calls' end behind time
    double still_ns, still_at_once; // of the reader's CPU

    // Not when the reader's CPU stood still, for half of the time in sum or at once for as long as
    // it takes to fill a quarter of the ring, which is when the reader is woken.
    [[nodiscard]] bool says_something() const {
        return still_at_once <= kRingMs * 1e6 / 4 && still_ns <= (kBursts * 1e6 + late_ns) / 2;
    }
};

// `burst` calls in each millisecond, then how late the last came, into `result`.
[[noreturn]] void call(int burst, int result) {
    pin_to_cpu(kCallerCpu);
    const double begin = now_ns();
    for (int done = 0; done < kBursts; ++done) {
        for (int i = 0; i < burst; ++i)
            syscall(SYS_lseek, -1, 0L, SEEK_SET);
        while (now_ns() < begin + (done + 1) * 1e6) {
        }
    }
    const double late = now_ns() - begin - kBursts * 1e6;
    _exit(write(result, &late, sizeof late) == sizeof late ? 0 : 1);
}

// Reads whenever the driver says so, until there is something at `end`.
void read_until(DriverAtWork& driver, const os::UniqueFd& end) {
    const os::UniqueFd set(epoll_create1(EPOLL_CLOEXEC));
    epoll_event at_end{.events = EPOLLIN, .data = {.u32 = 1}};
    epoll_event wakeup{.events = EPOLLIN | EPOLLET, .data = {.u32 = 0}};
    epoll_ctl(set.get(), EPOLL_CTL_ADD, end.get(), &at_end);
    for (const os::UniqueFd& ring : driver.rings())
        epoll_ctl(set.get(), EPOLL_CTL_ADD, ring.get(), &wakeup);
    for (epoll_event seen{}; seen.data.u32 == 0;) {
        driver.drain();
        epoll_wait(set.get(), &seen, 1, -1);
    }
}

Run run_once(DriverAtWork& driver, int burst) {
    int ends[2];
    if (pipe(ends) != 0)
        give_up("no pipe");
    const os::UniqueFd result(ends[0]);
    os::UniqueFd told(ends[1]);
    driver.drain();
    const auto before = driver.totals();
    const Witness witness;
    const pid_t caller = fork();
    if (caller == 0)
        call(burst, told.get());
    told.reset();
    read_until(driver, result);
    waitpid(caller, nullptr, 0);
    const auto after = driver.totals();
    Run run{.events = after.events - before.events,
            .lost = after.dropped() - before.dropped(),
            .late_ns = 0,
            .still_ns = witness.seen().sum_ns,
            .still_at_once = witness.seen().longest_ns};
    if (read(result.get(), &run.late_ns, sizeof run.late_ns) != sizeof run.late_ns)
        give_up("the caller ended early");
    if (run.events + run.lost < std::uint64_t{kBursts} * static_cast<unsigned>(burst))
        give_up("calls were made of which the driver knows nothing");
    return run;
}

int lower(int burst) {
    return std::max(1, burst - std::max(1, burst / 20));
}

// Half a second of `burst` calls each millisecond: a run fills it twice, at the least.
std::uint32_t ring_for(int burst) {
    return std::bit_ceil(kRingMs * kEventBytes * static_cast<unsigned>(burst));
}

// A run that lost nothing, or says something.
Run fair_run(DriverAtWork& driver, int burst) {
    for (int tried = 0; tried < kMostRepeats; ++tried) {
        const Run run = run_once(driver, burst);
        if (run.lost == 0 || run.says_something())
            return run;
        std::printf(
            "  (a run does not count: its reader's CPU stood still for %.0f ms, %.0f at once)\n",
            run.still_ns / 1e6, run.still_at_once / 1e6);
    }
    give_up(driver.name() + " lost events in each of " + std::to_string(kMostRepeats) +
            " runs, and in each its reader's CPU stood still for long: it loses, or this host is "
            "too busy to tell");
}

// In one of three runs: a busy host may hold the caller up, too.
bool keeps_pace(const std::string& name, int burst) {
    DriverAtWork driver(name, ring_for(burst));
    for (int i = 0; i < 3; ++i) {
        const Run run = fair_run(driver, burst);
        if (run.lost == 0 && run.late_ns <= kBursts * 1e6 * kTolerance)
            return true;
    }
    return false;
}

bool loses_nothing(const std::string& name, int burst) {
    DriverAtWork driver(name, ring_for(burst));
    for (int i = 0; i < kRuns; ++i)
        if (fair_run(driver, burst).lost != 0)
            return false;
    return true;
}

// Calls a millisecond: the most with which it keeps pace, or what is somewhat below if it loses
// events then.
int most_sustained(const std::string& name) {
    int burst = 8;
    while (keeps_pace(name, burst + burst / 4))
        burst += burst / 4;
    while (!loses_nothing(name, burst)) {
        if (burst == 1)
            give_up(name + " sustains nothing here");
        burst = lower(burst);
    }
    return burst;
}

// What a driver did in its runs. A host that is busy, and a driver that is dear, hold the calls up:
// then they came at a lower rate than was asked for.
struct Sum {
    std::string name;
    std::uint64_t events = 0, lost = 0;
    double slowest = 1e9, fastest = 0; // calls a millisecond
    double still_at_once = 0;

    void add(const Run& run, int burst) {
        const double came = burst * (kBursts * 1e6) / (kBursts * 1e6 + run.late_ns);
        events += run.events;
        lost += run.lost;
        slowest = std::min(slowest, came);
        fastest = std::max(fastest, came);
        still_at_once = std::max(still_at_once, run.still_at_once);
    }
    void print() const {
        std::printf("%-12s %8llu events, %llu lost (%.0f to %.0f events a second; its reader's "
                    "CPU still for at most %.0f ms at once)\n",
                    name.c_str(), static_cast<unsigned long long>(events),
                    static_cast<unsigned long long>(lost), slowest * 1000, fastest * 1000,
                    still_at_once / 1e6);
    }
};

std::vector<Sum> compare(const std::vector<std::string>& names, int burst) {
    std::printf("at %d events a second, in %d runs of %d s each:\n", burst * 1000, kRuns,
                kBursts / 1000);
    std::vector<Sum> sums;
    for (const std::string& name : names)
        sums.push_back({.name = name});
    for (int turn = 0; turn < kRuns; ++turn)
        for (Sum& sum : sums) {
            DriverAtWork driver(sum.name, ring_for(burst));
            sum.add(fair_run(driver, burst), burst);
        }
    for (const Sum& sum : sums)
        sum.print();
    return sums;
}

// The rate is one that the first sustains beside the others, too: where it does not, a lower one is
// tried.
int measure(const std::vector<std::string>& names) {
    int burst = most_sustained(names.front());
    std::printf("%s sustains %d events a second\n", names.front().c_str(), burst * 1000);
    for (int tried = 0; tried < 3; ++tried) {
        const auto sums = compare(names, burst);
        if (sums.front().lost == 0 && sums.front().fastest >= burst * (1 - kTolerance))
            return std::ranges::all_of(sums, [](const Sum& sum) { return sum.lost == 0; }) ? 0 : 1;
        burst = lower(burst);
    }
    give_up(names.front() + " sustains no rate here for long");
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> names(argv + 1, argv + argc);
    if (names.empty()) {
        std::fprintf(stderr, "usage: driver_loss DRIVER...\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    pin_to_cpu(kReaderCpu);
    return measure(names);
}
