// SPDX-License-Identifier: Apache-2.0
//
// What the probe adds to a syscall, against a program at the same tracepoint that does nothing, and
// one that does the least that tells of it; and what the kernel's paths and the names at the entry
// add to the text alone. Rounds of the states alternate, so that a machine that changes its speed
// changes all of them.
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "kernel/common/abi.h"
#include "tests/bench/machine.h"

#include <bench_empty.skel.h>
#include <bench_floor.skel.h>

namespace tiercel::bench {
namespace {

constexpr int kRounds = 15;

void getppid_once() {
    syscall(SYS_getppid);
}

void open_read_close() {
    char buffer[64];
    const long fd = syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY);
    syscall(SYS_read, fd, buffer, sizeof buffer);
    syscall(SYS_close, fd);
}

// Reads rings away on the other CPU, as an analyzer would: `read_all` is called every millisecond.
class Drain {
  public:
    explicit Drain(std::function<void()> read_all)
        : thread_([this, read_all = std::move(read_all)] {
              pin_to_cpu(1);
              while (!stop_) {
                  read_all();
                  usleep(1000);
              }
          }) {}
    ~Drain() {
        stop_ = true;
        thread_.join();
    }
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;

  private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

class EmptyProgram {
  public:
    EmptyProgram() : object_(bench_empty_bpf__open_and_load()) { bench_empty_bpf__attach(object_); }
    ~EmptyProgram() { bench_empty_bpf__destroy(object_); }
    EmptyProgram(const EmptyProgram&) = delete;
    EmptyProgram& operator=(const EmptyProgram&) = delete;

  private:
    bench_empty_bpf* object_;
};

// Time and ring, and nothing else: what is left is the probe's own.
class Floor {
  public:
    Floor() : object_(bench_floor_bpf__open()) {
        object_->rodata->reader = static_cast<__u32>(getpid());
        bench_floor_bpf__load(object_);
        bench_floor_bpf__attach(object_);
        ring_ = ring_buffer__new(
            bpf_map__fd(object_->maps.ring), [](void*, void*, std::size_t) { return 0; }, nullptr,
            nullptr);
    }
    ~Floor() {
        ring_buffer__free(ring_);
        bench_floor_bpf__destroy(object_);
    }
    Floor(const Floor&) = delete;
    Floor& operator=(const Floor&) = delete;
    void drain() const { ring_buffer__consume(ring_); }

  private:
    bench_floor_bpf* object_;
    ring_buffer* ring_ = nullptr;
};

struct Samples {
    std::vector<double> bare, empty, floor, probe, paths;
};

// A ring is slow until all its pages have been written once: that is its first 8 MiB, and not what
// the rest of an uptime costs.
void write_ring_once() {
    time_calls(30'000, 0, open_read_close);
}

void measure(Samples& outside, Samples& captured, std::vector<double> Samples::*state) {
    (outside.*state).push_back(time_calls(100'000, 0, getppid_once));
    (captured.*state).push_back(time_calls(10'000, 0, open_read_close));
}

struct Both {
    Samples outside, captured;
};

// Measures with the probe: with the text alone, or with all that TIERCEL_TP_PATHS asks for.
void measure_probe(const std::string& bin, std::uint32_t tracepoints, Both& both,
                   std::vector<double> Samples::*state) {
    wire::Request request = request_for({SYS_openat, SYS_read, SYS_close});
    request.attach = wire::Attach::tracepoint;
    request.tracepoints = tracepoints;
    Probe probe = start_probe(bin, request);
    auto rings =
        ring::RingSet::map<ring::BpfRing>(probe.session.rings, probe.session.reply.ring_bytes);
    Drain drain([&rings] { rings->batch([](const ring::RingEvent&) { return true; }); });
    write_ring_once();
    measure(both.outside, both.captured, state);
}

double median_of_differences(const std::vector<double>& of, const std::vector<double>& from) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < of.size(); ++i)
        differences.push_back(of[i] - from[i]);
    return median(differences);
}

} // namespace

void overhead(const std::string& bin, Report& report) {
    Both both;
    Samples& outside = both.outside;
    Samples& captured = both.captured;
    for (int round = 0; round < kRounds; ++round) {
        measure(outside, captured, &Samples::bare);
        {
            EmptyProgram empty;
            measure(outside, captured, &Samples::empty);
        }
        {
            Floor floor;
            Drain drain([&floor] { floor.drain(); });
            write_ring_once();
            captured.floor.push_back(time_calls(10'000, 0, open_read_close));
        }
        measure_probe(bin, 0, both, &Samples::probe);
        measure_probe(bin, TIERCEL_TP_PATHS, both, &Samples::paths);
    }
    std::vector<double> ratios, added, least;
    for (std::size_t i = 0; i < kRounds; ++i) {
        ratios.push_back(outside.probe[i] / outside.empty[i]);
        added.push_back((captured.probe[i] - captured.empty[i]) / 3);
        least.push_back((captured.floor[i] - captured.empty[i]) / 3);
    }
    report.figure("(a) getppid outside the interest set, over the empty program",
                  fmt::format("{:.3f}", median(ratios)), "<= 1.05", median(ratios) <= 1.05);
    report.note(fmt::format("ns a call: bare {:.0f}, empty program {:.0f}, probe {:.0f}",
                            median(outside.bare), median(outside.empty), median(outside.probe)));
    report.figure("(b) captured, ns an event over the empty program (open, read, close)",
                  fmt::format("{:.0f} ns", median(added)), "<= 250 ns", median(added) <= 250);
    report.note(fmt::format("ns for the three: bare {:.0f}, empty program {:.0f}, probe {:.0f}",
                            median(captured.bare), median(captured.empty), median(captured.probe)));
    report.note(fmt::format(
        "a program that only takes the time and writes to a ring adds {:.0f} ns", median(least)));
    report.note(fmt::format(
        "the kernel's path and the name at the entry add, beside the text alone: {:.0f} ns to the "
        "three, {:.0f} ns to a call outside the interest set",
        median_of_differences(captured.paths, captured.probe),
        median_of_differences(outside.paths, outside.probe)));
}

} // namespace tiercel::bench
