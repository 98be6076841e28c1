// SPDX-License-Identifier: Apache-2.0
//
// driver_cost DRIVER...: ns per lseek(2), bare and with its event captured by each driver. For
// tests/vm/measure-drivers.sh, in a machine whose clock counts instructions.
//
// DRIVER is a name of privd's --driver. Exit codes: 0, 1 when something could not be measured.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/vm/driver_at_work.h"

using namespace tiercel::vm;

namespace {

constexpr int kRounds = 5, kCallsOfARound = 2000;

// lseek(-1, n): a syscall that does nothing but fail. In a child, for the drivers leave their
// reader's own calls out. ns a call: the best round, which the machine disturbed least.
double call_ns(DriverAtWork* driver) {
    double best = 1e18;
    for (int round = 0; round < kRounds; ++round) {
        int ends[2];
        if (pipe(ends) != 0)
            give_up("no pipe");
        if (const pid_t child = fork(); child == 0) {
            pin_to_cpu(1);
            for (int i = 0; i < 100; ++i)
                syscall(SYS_lseek, -1, 0L, SEEK_SET);
            const double begin = now_ns();
            for (long i = 0; i < kCallsOfARound; ++i)
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
        best = std::min(best, spent / kCallsOfARound);
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
        DriverAtWork driver(name, 1 << 20);
        const double with = call_ns(&driver);
        const auto totals = driver.totals();
        if (totals.events < std::uint64_t{kRounds} * kCallsOfARound || totals.dropped() != 0)
            give_up(name + ": the events did not come, or were dropped");
        first = first == 0 ? with - bare : first;
        std::printf("%-12s %8.0f ns a call, %.0f an event: %.2f of %s\n", name.c_str(), with,
                    with - bare, (with - bare) / first, names.front().c_str());
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: driver_cost DRIVER...\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return cost({argv + 1, argv + argc});
}
