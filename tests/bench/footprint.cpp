// SPDX-License-Identifier: Apache-2.0
//
// Memory of both processes, and how long it takes from the load to the first event.
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/bench/machine.h"

namespace tiercel::bench {
namespace {

constexpr int kRounds = 7;

std::vector<int> every_syscall() {
    std::vector<int> all;
    for (int number = 0; number < 470; ++number)
        all.push_back(number);
    return all;
}

long rss_kib(pid_t pid) {
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:"))
            return std::stol(line.substr(6));
    return 0;
}

// privd and the analyzer as a user starts them. The analyzer waits for a syscall that no process
// makes.
pid_t start_pair(const std::string& bin) {
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    const std::string privd = bin + "/privd", analyzer = bin + "/analyzer";
    execl(privd.c_str(), "privd", "--exec", "--", analyzer.c_str(), "--events", "--syscalls",
          "vhangup", nullptr);
    _exit(127);
}

long idle_analyzer_kib(const std::string& bin) {
    const pid_t pid = start_pair(bin);
    sleep(3);
    const long kib = rss_kib(pid);
    kill(pid, SIGINT);
    waitpid(pid, nullptr, 0);
    return kib;
}

// From the beginning of the load to the first event, as the analyzer's statistics say; something
// makes system calls for it to see from the first moment on.
double first_event_ms(const std::string& bin) {
    const pid_t busy = fork();
    if (busy == 0)
        for (;;) {
            syscall(SYS_getppid);
            usleep(1000);
        }
    const std::string command =
        fmt::format("{0}/privd --exec -- {0}/analyzer --events -n 1 2>&1 >/dev/null", bin);
    double ms = -1;
    if (FILE* statistics = popen(command.c_str(), "r")) {
        char line[256];
        while (std::fgets(line, sizeof line, statistics) != nullptr)
            if (const char* at = std::strstr(line, "first event "))
                ms = std::atof(at + std::strlen("first event "));
        pclose(statistics);
    }
    kill(busy, SIGKILL);
    waitpid(busy, nullptr, 0);
    return ms;
}

} // namespace

void footprint(const std::string& bin, Report& report) {
    Probe probe = start_probe(bin, request_for(every_syscall()));
    const double load_ms = static_cast<double>(probe.session.reply.load_ns) / 1e6;
    report.figure("(c) privd's memory at its peak",
                  fmt::format("{:.1f} MiB", static_cast<double>(probe.privd_peak_kib) / 1024.0),
                  "<= 6 MiB", probe.privd_peak_kib <= 6L * 1024);
    const long kib = idle_analyzer_kib(bin);
    report.figure("(c) analyzer's memory, idle",
                  fmt::format("{:.1f} MiB", static_cast<double>(kib) / 1024.0), "<= 24 MiB",
                  kib > 0 && kib <= 24L * 1024);
    std::vector<double> first;
    for (int round = 0; round < kRounds; ++round)
        first.push_back(first_event_ms(bin));
    report.figure("(d) start of the load to the first event",
                  fmt::format("{:.0f} ms", median(first)), "<= 150 ms",
                  median(first) > 0 && median(first) <= 150);
    report.note(fmt::format("of which load and attach take about {:.0f} ms", load_ms));
}

} // namespace tiercel::bench
