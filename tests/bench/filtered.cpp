// SPDX-License-Identifier: Apache-2.0
//
// What a call costs whose event the kernel filter keeps back: a failed open under a filter that
// passes opens that succeed, against a program that does nothing and against capturing it. The
// states alternate. A second filter also searches the path for "../".
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "shared/event/table.h"
#include "tests/bench/machine.h"

#include <bench_empty.skel.h>

namespace tiercel::bench {

namespace {

constexpr int kRounds = 15;
constexpr int kCalls = 20'000;

void failed_open() {
    syscall(SYS_openat, AT_FDCWD, "/usr/lib/x86_64-linux-gnu/none.so", O_RDONLY);
}

double time_failed_opens() {
    return time_calls(kCalls, 0, failed_open);
}

enum class State : std::uint8_t { captured, by_result, by_path };

// One row that passes opens that succeed and, with `by_path`, those whose path has "../".
double with_probe(const std::string& bin, State state) {
    wire::Request request = request_for({SYS_openat});
    request.attach = wire::Attach::tracepoint;
    tiercel_filter_row& row = request.filter.rows[0];
    row.flags = TIERCEL_ROW_SUCCEEDED;
    row.value_arg = row.file_arg = row.text_arg = TIERCEL_NO_ARGUMENT;
    if (state != State::captured)
        request.filter.first[event::SYSCALL_OPENAT_2_X] = 1;
    if (state == State::by_path) {
        row.flags |= TIERCEL_ROW_MORE;
        tiercel_filter_row& more = request.filter.rows[1];
        more = row;
        more.flags = 0;
        more.errors[0] = more.errors[1] = UINT64_MAX;
        more.text_arg = 1;
        more.needle_bytes = 3;
        std::memcpy(more.needle, "../", 3);
    }
    const Probe probe = start_probe(bin, request);
    return time_failed_opens();
}

double with_empty_program() {
    bench_empty_bpf* object = bench_empty_bpf__open_and_load();
    bench_empty_bpf__attach(object);
    const double ns = time_failed_opens();
    bench_empty_bpf__destroy(object);
    return ns;
}

} // namespace

void filtered(const std::string& bin, Report& report) {
    std::vector<double> bare, by_result, by_path, captured;
    for (int round = 0; round < kRounds; ++round) {
        bare.push_back(time_failed_opens());
        const double empty = with_empty_program();
        by_result.push_back(with_probe(bin, State::by_result) - empty);
        by_path.push_back(with_probe(bin, State::by_path) - empty);
        captured.push_back(with_probe(bin, State::captured) - empty);
    }
    report.figure("(f) filtered by its result, ns an event over the empty program",
                  fmt::format("{:.0f} ns", median(by_result)), "<= 40 ns", median(by_result) <= 40);
    report.note(fmt::format("ns a failed open: bare {:.0f}; over the empty program: filtered by a "
                            "part of its path {:.0f}, captured {:.0f}",
                            median(bare), median(by_path), median(captured)));
}

} // namespace tiercel::bench
