// SPDX-License-Identifier: Apache-2.0
//
// Implements the outbox: its thread takes the first line of the queue, writes it without holding
// the lock, and removes it from the queue when it is written or lost.
#include "analyzer/output/alerts/outbox.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tiercel::alerts {

namespace {

constexpr std::chrono::seconds kBetweenAttempts{1};
constexpr std::chrono::seconds kBetweenLooks{1};

} // namespace

struct Outbox::State {
    std::unique_ptr<Sink> sink;
    std::size_t capacity = 0;
    Warn warn;

    std::mutex mutex;
    std::condition_variable posted; // for the thread
    std::condition_variable idle;   // for drain(), constructor and destructor
    std::deque<LinePointer> queue;
    Counters counters; // `written` counts unconfirmed lines too
    std::size_t unconfirmed = 0;
    std::uint64_t unreported = 0; // discarded since the last warning
    bool reopen = false;
    bool writing = false;
    bool running = false;
    bool stop = false;
    bool ended = false;

    bool has_work() const { return stop || reopen || !queue.empty(); }
    bool is_idle() const { return queue.empty() && !writing && unconfirmed == 0; }

    // Waits, with the lock held, for something to do.
    void wait(std::unique_lock<std::mutex>& lock) {
        while (!has_work()) {
            if (!sink->confirms()) {
                posted.wait(lock, [this] { return has_work(); });
                return;
            }
            const std::size_t before = unconfirmed;
            lock.unlock();
            const int away = sink->confirm();
            lock.lock();
            counters.away = away;
            unconfirmed = sink->unconfirmed();
            if (is_idle())
                idle.notify_all();
            if (unconfirmed == before)
                posted.wait_for(lock, kBetweenLooks, [this] { return has_work(); });
        }
    }

    void reopen_sink(std::unique_lock<std::mutex>& lock) {
        lock.unlock();
        const bool good = sink->reopen();
        const int error = errno;
        lock.lock();
        if (good)
            return;
        ++counters.failed;
        counters.error = error;
    }

    // Writes the first line of the queue, which stays there if the sink may take it later.
    void write_first(std::unique_lock<std::mutex>& lock) {
        const LinePointer line = queue.front();
        writing = true;
        lock.unlock();
        errno = 0;
        const bool good = sink->write(*line);
        const int error = good ? 0 : errno;
        lock.lock();
        writing = false;
        counters.gone = sink->gone();
        unconfirmed = sink->unconfirmed();
        counters.error = good ? counters.error : error;
        const bool lost = !good && (counters.gone != 0 || error == EMSGSIZE);
        if (!queue.empty() && (good || lost)) // the destructor empties the queue
            queue.pop_front();
        if (good || lost)
            ++(good ? counters.written : counters.failed);
        counters.failing = good || lost ? 0 : error;
        if (good)
            counters.away = 0;
        if (counters.failing != 0) {
            ++counters.retried;
            posted.wait_for(lock, kBetweenAttempts, [this] { return stop || reopen; });
        }
    }

    void run() {
        std::unique_lock lock(mutex);
        running = true;
        idle.notify_all();
        for (wait(lock); !stop; wait(lock)) {
            if (std::exchange(reopen, false))
                reopen_sink(lock);
            if (!queue.empty())
                write_first(lock);
            if (unreported > 0 && queue.size() < capacity)
                queue.push_back(warn(sink->name(), std::exchange(unreported, 0)));
            if (is_idle())
                idle.notify_all();
        }
        ended = true;
        idle.notify_all();
    }
};

Outbox::Outbox(std::unique_ptr<Sink> sink, std::size_t capacity, Warn warn)
    : state_(std::make_shared<State>()), name_(sink->name()), wants_json_(sink->wants_json()) {
    state_->sink = std::move(sink);
    state_->capacity = capacity;
    state_->warn = std::move(warn);
    thread_ = std::thread([state = state_] { state->run(); });
    // The sandbox would forbid the system calls with which a thread begins.
    std::unique_lock lock(state_->mutex);
    state_->idle.wait(lock, [this] { return state_->running; });
}

Outbox::~Outbox() {
    std::unique_lock lock(state_->mutex);
    state_->stop = true;
    state_->queue.clear();
    state_->posted.notify_all();
    const bool ended =
        state_->idle.wait_for(lock, std::chrono::seconds(1), [this] { return state_->ended; });
    lock.unlock();
    // A thread that a write blocks cannot be joined; it keeps its state alive by itself.
    ended ? thread_.join() : thread_.detach();
}

void Outbox::post(LinePointer line) {
    const std::lock_guard lock(state_->mutex);
    if (state_->queue.size() >= state_->capacity) {
        ++state_->counters.discarded;
        ++state_->unreported;
        return;
    }
    state_->queue.push_back(std::move(line));
    state_->posted.notify_one();
}

void Outbox::reopen() {
    const std::lock_guard lock(state_->mutex);
    state_->reopen = true;
    state_->posted.notify_one();
}

bool Outbox::drain(std::chrono::milliseconds deadline) {
    std::unique_lock lock(state_->mutex);
    return state_->idle.wait_for(lock, deadline, [this] { return state_->is_idle(); });
}

Outbox::Counters Outbox::counters() const {
    const std::lock_guard lock(state_->mutex);
    Counters counters = state_->counters;
    counters.waiting = state_->queue.size() + state_->unconfirmed;
    counters.written -= std::min<std::uint64_t>(counters.written, state_->unconfirmed);
    return counters;
}

std::vector<wire::courier::State> Outbox::destinations() const {
    return state_->sink->destinations();
}

void Outbox::set_rules(const wire::courier::Sha256& sum) {
    state_->sink->set_rules(sum);
}

} // namespace tiercel::alerts
