// What the probe adds to a syscall, against a program at the same tracepoint that does nothing.
// Rounds of the three states alternate, so that a machine that changes its speed changes all three.
#include <bench_empty.skel.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "tests/bench/machine.h"

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

// Reads the rings away on the other CPU, as an analyzer would.
class Drain {
  public:
    explicit Drain(Probe& probe)
        : rings_(std::move(*ring::RingSet::map<ring::BpfRing>(probe.session.rings,
                                                              probe.session.reply.ring_bytes))),
          thread_([this] { run(); }) {}
    ~Drain() {
        stop_ = true;
        thread_.join();
    }

  private:
    void run() {
        pin_to_cpu(1);
        while (!stop_) {
            rings_.batch([](const ring::RingEvent&) { return true; });
            usleep(1000);
        }
    }
    ring::RingSet rings_;
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

struct Samples {
    std::vector<double> bare, empty, probe;
};

void measure(Samples& outside, Samples& captured, std::vector<double> Samples::*state) {
    (outside.*state).push_back(time_calls(100'000, 0, getppid_once));
    (captured.*state).push_back(time_calls(10'000, 0, open_read_close));
}

} // namespace

void overhead(const std::string& bin, Report& report) {
    Samples outside, captured;
    for (int round = 0; round < kRounds; ++round) {
        measure(outside, captured, &Samples::bare);
        {
            EmptyProgram empty;
            measure(outside, captured, &Samples::empty);
        }
        wire::Request request = request_for({SYS_openat, SYS_read, SYS_close});
        request.attach = wire::Attach::tracepoint;
        Probe probe = start_probe(bin, request);
        Drain drain(probe);
        measure(outside, captured, &Samples::probe);
    }
    std::vector<double> ratios, added;
    for (int i = 0; i < kRounds; ++i) {
        ratios.push_back(outside.probe[i] / outside.empty[i]);
        added.push_back((captured.probe[i] - captured.empty[i]) / 3);
    }
    report.figure("(a) getppid nobody asked for, over the empty program",
                  fmt::format("{:.3f}", median(ratios)), "<= 1.05", median(ratios) <= 1.05);
    report.note(fmt::format("ns a call: bare {:.0f}, empty program {:.0f}, probe {:.0f}",
                            median(outside.bare), median(outside.empty), median(outside.probe)));
    report.figure("(b) captured, ns an event over the empty program (open, read, close)",
                  fmt::format("{:.0f} ns", median(added)), "<= 250 ns", median(added) <= 250);
    report.note(fmt::format("ns for the three: bare {:.0f}, empty program {:.0f}, probe {:.0f}",
                            median(captured.bare), median(captured.empty), median(captured.probe)));
}

} // namespace tiercel::bench
