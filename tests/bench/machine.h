// SPDX-License-Identifier: Apache-2.0
//
// What the benchmarks share: medians, a session with privd, and how a figure is
// printed. A figure is one line: what it is, the median, its bar, and whether it holds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/wire/client.h"
#include "tests/bench/clock.h"

namespace tiercel::bench {

// Prints what the figures were taken on, and the command: a program with its first argument.
void print_machine(char** argv);

double median(std::vector<double> values);

// Zeroed memory that children share with this process. Unmapped by the caller.
void* shared_memory(std::size_t bytes);

// ns for one call of `work`, over `calls` of them after a tenth as many to warm up, in a child of
// this process that is pinned to `cpu`: the probe leaves out what its reader itself does.
double time_calls(int calls, int cpu, const std::function<void()>& work);

// A session opened through a privd of its own, as root's peer; its probe goes when it is destroyed.
struct Probe {
    wire::client::Session session;
    long privd_peak_kib = 0; // of the privd that loaded it, and has left
};
wire::Request request_for(const std::vector<int>& syscalls);
Probe start_probe(const std::string& bin,
                  const wire::Request& request); // exits the bench on failure

class Report {
  public:
    // `holds` decides the exit code; `bar` is what was wanted, in words.
    void figure(const std::string& what, const std::string& value, const std::string& bar,
                bool holds);
    void note(const std::string& text);
    bool all_hold() const { return all_hold_; }

  private:
    bool all_hold_ = true;
};

// One function for each group of figures; `bin` is the folder of the binaries.
void overhead(const std::string& bin, Report& report);
void filtered(const std::string& bin, Report& report);
void footprint(const std::string& bin, Report& report);
void flood(const std::string& bin, Report& report);
// These need no privilege.
void memory(Report& report);
void replay(const std::string& stock_rule_file, Report& report);

} // namespace tiercel::bench
