// SPDX-License-Identifier: Apache-2.0
//
// courier_bench COURIER: how many alerts a second go through one destination of the courier, from
// its socket over its spool on disk to a receiver that has acknowledged them, and the memory that
// this takes. Exit code 0: every bar holds; 1: one is missed.
#include "shared/wire/courier.h"

#include <fmt/core.h>
#include <poll.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/bench/http_receiver.h"
#include "tests/bench/machine.h"

namespace tiercel::bench {
namespace {

namespace fs = std::filesystem;
using namespace wire::courier;

constexpr std::uint64_t kAlerts = 100'000;
constexpr int kRounds = 5;
constexpr std::uint64_t kMostUnconfirmed = 1024; // as the analyzer has it
constexpr std::size_t kPadding = 260;            // which makes an alert as long as a real one
constexpr double kLeastRate = 20'000;
constexpr long kMostKib = 20L * 1024;
constexpr double kPatienceNs = 120e9;
constexpr uid_t kNobody = 65534;

[[noreturn]] void fail(const std::string& why) {
    fmt::print(stderr, "courier_bench: {}: {}\n", why, std::strerror(errno));
    std::exit(1);
}

std::string alert_text(std::uint64_t number) {
    return fmt::format(R"({{{}{},"rule":"A rule","priority":"Warning","output":"{}"}})",
                       HttpReceiver::kMark, number, std::string(kPadding, 'x'));
}

// A courier with one destination and the default settings. It runs as nobody if root started the
// bench.
class RunningCourier {
  public:
    RunningCourier(const std::string& program, std::string_view type, std::uint16_t port) {
        std::string pattern = (fs::temp_directory_path() / "courier-bench-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr)
            fail("cannot make a directory");
        home_ = pattern;
        fs::create_directory(home_ / "spool");
        std::ofstream(home_ / "courier.yaml")
            << fmt::format("spool: {{path: {}/spool}}\ndestinations:\n- name: bench\n  type: {}\n"
                           "  url: http://127.0.0.1:{}\n",
                           home_.string(), type, port);
        if (geteuid() == 0)
            for (const fs::path& path : {home_, home_ / "spool"})
                if (chown(path.c_str(), kNobody, kNobody) != 0)
                    fail("cannot give the spool away");
        const passwd* self = getpwuid(geteuid());
        pid_ = fork();
        if (pid_ == 0) {
            if (geteuid() == 0 && (setresgid(kNobody, kNobody, kNobody) != 0 ||
                                   setresuid(kNobody, kNobody, kNobody) != 0))
                _exit(126);
            execl(program.c_str(), "tiercel-courier", "--config", (home_ / "courier.yaml").c_str(),
                  "--socket", socket_path().c_str(), "--peer-user",
                  self != nullptr ? self->pw_name : "root", nullptr);
            _exit(127);
        }
    }
    ~RunningCourier() {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
        fs::remove_all(home_);
    }
    RunningCourier(const RunningCourier&) = delete;
    RunningCourier& operator=(const RunningCourier&) = delete;

    std::string socket_path() const { return (home_ / "socket").string(); }
    long peak_kib() const {
        std::ifstream status(fmt::format("/proc/{}/status", pid_));
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("VmHWM:"))
                return std::stol(line.substr(6));
        return 0;
    }
    double cpu_us() const {
        std::ifstream stat(fmt::format("/proc/{}/stat", pid_));
        std::string word;
        for (int i = 0; i < 13; ++i)
            stat >> word;
        double user = 0, system = 0;
        stat >> user >> system;
        return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
    }

  private:
    fs::path home_;
    pid_t pid_ = -1;
};

// Plays the analyzer: it sends alerts as fast as the courier confirms them.
class Sender {
  public:
    explicit Sender(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        const double end = now_ns() + 10e9;
        do {
            fd_ = os::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
            if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
                return;
            usleep(10'000);
        } while (now_ns() < end);
        fail("the courier does not listen");
    }

    void send_all(std::uint64_t alerts) {
        Hello hello{.boot = {1, 2, 3}, .session = 1};
        hello.host_bytes = static_cast<std::uint16_t>(kHost.size());
        hello.header.bytes = static_cast<std::uint32_t>(sizeof hello + kHost.size());
        std::string bytes(reinterpret_cast<const char*>(&hello), sizeof hello);
        bytes += kHost;
        std::uint64_t sent = 0;
        while (stored_ < alerts) {
            while (sent < alerts && sent - stored_ < kMostUnconfirmed)
                append(bytes, ++sent);
            for (std::size_t done = 0; done < bytes.size();) {
                const ssize_t count =
                    send(fd_.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
                if (count < 0)
                    fail("the courier has ended the connection");
                done += static_cast<std::size_t>(count);
            }
            bytes.clear();
            receive();
        }
    }

  private:
    static constexpr std::string_view kHost = "bench";

    static void append(std::string& bytes, std::uint64_t count) {
        constexpr std::string_view kRule = "A rule";
        const std::string text = alert_text(count - 1);
        Alert alert;
        alert.header.bytes = static_cast<std::uint32_t>(sizeof alert + kRule.size() + text.size());
        alert.rule_bytes = kRule.size();
        alert.priority = 4;
        alert.sequence = count;
        alert.time_ns = 1;
        bytes.append(reinterpret_cast<const char*>(&alert), sizeof alert);
        bytes.append(kRule).append(text);
    }

    void receive() {
        char room[16 << 10];
        const ssize_t got = recv(fd_.get(), room, sizeof room, 0);
        if (got <= 0)
            fail("the courier has ended the connection");
        incoming_.append(room, static_cast<std::size_t>(got));
        Header header;
        while (incoming_.size() >= sizeof header) {
            std::memcpy(&header, incoming_.data(), sizeof header);
            if (incoming_.size() < header.bytes)
                return;
            Stored stored;
            if (header.type == Type::stored) {
                std::memcpy(&stored, incoming_.data(), sizeof stored);
                stored_ = stored.sequence;
            }
            incoming_.erase(0, header.bytes);
        }
    }

    os::UniqueFd fd_;
    std::string incoming_;
    std::uint64_t stored_ = 0;
};

struct Round {
    double rate = 0, stored_rate = 0, cpu_us = 0; // cpu_us: of the courier, for an alert
    double a_request = 0;                         // alerts
    long peak_kib = 0;
    bool good = false; // nothing lost, and in order
};

Round run(const std::string& program, std::string_view type) {
    HttpReceiver receiver;
    const RunningCourier courier(program, type, receiver.port());
    Sender sender(courier.socket_path());
    const double begun = now_ns();
    sender.send_all(kAlerts);
    const double stored = now_ns();
    while (receiver.alerts() < kAlerts && now_ns() < begun + kPatienceNs)
        usleep(1000);
    const double seconds = (now_ns() - begun) / 1e9;
    const auto alerts = static_cast<double>(kAlerts);
    return {.rate = static_cast<double>(receiver.alerts()) / seconds,
            .stored_rate = alerts / ((stored - begun) / 1e9),
            .cpu_us = courier.cpu_us() / alerts,
            .a_request =
                alerts / static_cast<double>(std::max<std::uint64_t>(receiver.requests(), 1)),
            .peak_kib = courier.peak_kib(),
            .good = receiver.alerts() == kAlerts && receiver.disorder() == 0};
}

double median_of(const std::vector<Round>& rounds, double Round::*member) {
    std::vector<double> values;
    for (const Round& round : rounds)
        values.push_back(round.*member);
    return median(values);
}

void measure(const std::string& program, std::string_view type, bool has_bar, Report& report) {
    std::vector<Round> rounds;
    for (int i = 0; i < kRounds; ++i)
        rounds.push_back(run(program, type));
    const double rate = median_of(rounds, &Round::rate);
    const long peak = std::ranges::max_element(rounds, {}, &Round::peak_kib)->peak_kib;
    const auto [slowest, fastest] = std::ranges::minmax_element(rounds, {}, &Round::rate);
    if (has_bar)
        report.figure(fmt::format("courier, type {}: alerts through one destination", type),
                      fmt::format("{:.0f}/s", rate), fmt::format(">= {:.0f}/s", kLeastRate),
                      rate >= kLeastRate);
    else
        report.note(fmt::format("courier, type {}: {:.0f} alerts/s", type, rate));
    report.figure(fmt::format("courier, type {}: memory at its peak", type),
                  fmt::format("{:.1f} MiB", static_cast<double>(peak) / 1024.0), "<= 20 MiB",
                  peak > 0 && peak <= kMostKib);
    report.figure(fmt::format("courier, type {}: all alerts came, in order", type),
                  fmt::format("{} rounds of {}", std::ranges::count(rounds, true, &Round::good),
                              rounds.size()),
                  "all", std::ranges::all_of(rounds, &Round::good));
    report.note(fmt::format("{} alerts of {} bytes, {} rounds: {:.0f} to {:.0f}/s; stored at "
                            "{:.0f}/s; {:.0f} alerts a request; processor {:.1f} us an alert",
                            kAlerts, alert_text(kAlerts).size(), kRounds, slowest->rate,
                            fastest->rate, median_of(rounds, &Round::stored_rate),
                            median_of(rounds, &Round::a_request),
                            median_of(rounds, &Round::cpu_us)));
}

} // namespace
} // namespace tiercel::bench

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: courier_bench COURIER\n");
        return 2;
    }
    tiercel::bench::print_machine(argv);
    tiercel::bench::Report report;
    tiercel::bench::measure(argv[1], "elasticsearch", true, report);
    tiercel::bench::measure(argv[1], "http", false, report);
    return report.all_hold() ? 0 : 1;
}
