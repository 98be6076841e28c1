// SPDX-License-Identifier: Apache-2.0
//
// Implements the courier's main thread: it takes alerts, and once a second it looks after the
// spool's limits, says what happened, and tells the analyzers the state of the destinations.
#include "courier/app/courier.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"

namespace tiercel::courier {

namespace {

constexpr int kTurnMs = 500;
constexpr int kLooksASecond = 10; // for the end
constexpr std::uint64_t kSayDroppedEverySeconds = 10;
constexpr std::chrono::seconds kEndWithin{2};

volatile std::sig_atomic_t asked_to_end = 0;
volatile std::sig_atomic_t asked_for_state = 0;

// Handles the signals while ppoll(2) waits, and blocks them at all other times.
sigset_t take_signals() {
    struct sigaction action {};
    action.sa_handler = [](int signal) {
        (signal == SIGUSR1 ? asked_for_state : asked_to_end) = 1;
    };
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
        sigaction(signal, &action, nullptr);
        sigaddset(&blocked, signal);
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    return before;
}

std::uint64_t now_seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec);
}

Limits limits_of(const Options& options) {
    const std::string& sync = options.text("spool.sync");
    return {.bytes = options.number("spool.max_bytes"),
            .age_seconds = options.number("spool.max_age"),
            .sync = sync == "always"  ? Sync::always
                    : sync == "never" ? Sync::never
                                      : Sync::interval,
            .drop = options.text("spool.drop") == "lowest_priority" ? Drop::lowest_priority
                                                                    : Drop::oldest};
}

} // namespace

bool Courier::open(const Config& config) {
    std::vector<std::string> names;
    bool good = true;
    for (const Options& options : config.destinations) {
        Made made = make_destination(options);
        if (!made.destination) {
            os::write_stderr("tiercel-courier: the destination %s: %s\n", options.name.c_str(),
                             made.wrong.c_str());
            good = false;
        }
        names.push_back(options.name);
        waiting_.push_back({options.name, std::move(made.destination)});
    }
    if (!good)
        return false;
    auto spool = Spool::open(config.courier.text("spool.path"), limits_of(config.courier), names);
    if (!spool) {
        os::print("tiercel-courier", spool.error(), "");
        return false;
    }
    spool_ = *std::move(spool);
    said_dropped_.resize(names.size());
    backoff_ = Backoff(std::chrono::seconds(config.courier.number("retry.min")),
                       std::chrono::seconds(config.courier.number("retry.max")));
    heartbeat_seconds_ = config.courier.number("heartbeat");
    return true;
}

bool Courier::run(os::UniqueFd listener, uid_t served) {
    const sigset_t unblocked = take_signals();
    for (Waiting& waiting : waiting_)
        pumps_.push_back(std::make_unique<Pump>(*spool_, pumps_.size(), waiting.name,
                                                std::move(waiting.destination), backoff_,
                                                notices_));
    Intake intake(std::move(listener), served, *spool_);
    std::atomic<bool> end_sync = false;
    std::thread sync([this, &end_sync] { synchronise_each_second(end_sync); });
    next_heartbeat_ = now_seconds(CLOCK_MONOTONIC) + heartbeat_seconds_; // analyzers connect first
    while (asked_to_end == 0) {
        intake.turn(kTurnMs, unblocked);
        look_after(intake);
    }
    for (const auto& pump : pumps_)
        pump->stop();
    spool_->stop();
    end_sync = true;
    sync.join();
    const auto end = std::chrono::steady_clock::now() + kEndWithin;
    return std::ranges::all_of(pumps_, [end](const auto& pump) { return pump->wait(end); });
}

void Courier::look_after(Intake& intake) {
    if (std::exchange(asked_for_state, 0) != 0)
        print_states();
    const std::uint64_t now = now_seconds(CLOCK_MONOTONIC);
    if (now == std::exchange(looked_, now))
        return;
    if (auto kept = spool_->maintain(now_seconds(CLOCK_REALTIME) * 1'000'000'000); !kept)
        os::print("tiercel-courier", kept.error(), "");
    if (heartbeat_seconds_ > 0 && now >= next_heartbeat_) {
        next_heartbeat_ = now + heartbeat_seconds_;
        say_alive(intake);
    }
    if (now >= next_dropped_) {
        next_dropped_ = now + kSayDroppedEverySeconds;
        say_dropped();
    }
    say_own();
    intake.tell(states());
}

void Courier::synchronise_each_second(const std::atomic<bool>& end) {
    while (!end) {
        if (auto synced = spool_->synchronise(); !synced)
            os::print("tiercel-courier", synced.error(), "a crash of the machine may lose alerts");
        for (int i = 0; i < kLooksASecond && !end; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1000 / kLooksASecond));
    }
}

// A host without an analyzer would raise no alert, which its heartbeat tells.
void Courier::say_alive(const Intake& intake) {
    const std::size_t analyzers = intake.analyzers();
    std::string rules;
    for (const wire::courier::Sha256& sum : intake.rules())
        rules += (rules.empty() ? "" : ",") + hex(sum);
    notices_.add({.what = "heartbeat",
                  .message = analyzers > 0 ? "The courier and the analyzer of this host are alive"
                                           : "The courier of this host is alive, and no analyzer "
                                             "is connected to it",
                  .good = analyzers > 0,
                  .tags = {{"agent_id", hex(spool_->agent())},
                           {"boot_id", hex(own_.boot())},
                           {"version", TIERCEL_VERSION},
                           {"analyzers", std::to_string(analyzers)},
                           {"rules_sha256", std::move(rules)}}});
}

void Courier::say_dropped() {
    for (std::size_t i = 0; i < pumps_.size(); ++i) {
        const std::uint64_t dropped = spool_->backlog(i).dropped;
        const std::uint64_t more = dropped - std::exchange(said_dropped_[i], dropped);
        if (more == 0)
            continue;
        const std::string message = std::to_string(more) + " alerts for the destination " +
                                    pumps_[i]->name() +
                                    " were dropped, because the spool has reached its limit";
        os::write_stderr("tiercel-courier: %s\n", message.c_str());
        notices_.add({.what = "alerts dropped",
                      .message = message,
                      .destination = pumps_[i]->name(),
                      .dropped = more});
    }
}

void Courier::say_own() {
    for (const Notice& notice : notices_.take()) {
        Record record = own_.make(notice);
        if (auto stored = spool_->append({&record, 1}); !stored)
            os::print("tiercel-courier", stored.error(), "");
    }
}

std::vector<wire::courier::State> Courier::states() const {
    std::vector<wire::courier::State> states;
    const std::uint64_t now = now_seconds(CLOCK_REALTIME);
    for (std::size_t i = 0; i < pumps_.size(); ++i) {
        const Pump::State state = pumps_[i]->state();
        const Spool::Backlog backlog = spool_->backlog(i);
        const std::uint64_t oldest = backlog.oldest_ns / 1'000'000'000;
        wire::courier::State& told = states.emplace_back();
        told.header.bytes = sizeof told;
        std::strncpy(told.name, pumps_[i]->name().c_str(), sizeof told.name - 1);
        told.sent = state.sent;
        told.failed = state.failed;
        told.retried = state.retried;
        told.dropped = backlog.dropped;
        told.spooled_bytes = backlog.bytes;
        told.oldest_age_seconds = oldest == 0 || oldest > now ? 0 : now - oldest;
        told.connected = state.connected ? 1 : 0;
        told.last = i + 1 == pumps_.size() ? 1 : 0;
    }
    return states;
}

void Courier::print_states() const {
    for (const wire::courier::State& state : states())
        os::write_stderr("tiercel-courier: %s sent=%llu failed=%llu retried=%llu dropped=%llu "
                         "spooled_bytes=%llu oldest_age_seconds=%llu connected=%u\n",
                         state.name, static_cast<unsigned long long>(state.sent),
                         static_cast<unsigned long long>(state.failed),
                         static_cast<unsigned long long>(state.retried),
                         static_cast<unsigned long long>(state.dropped),
                         static_cast<unsigned long long>(state.spooled_bytes),
                         static_cast<unsigned long long>(state.oldest_age_seconds),
                         state.connected);
}

} // namespace tiercel::courier
