// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/outbox.h"

#include <cerrno>
#include <utility>

namespace tiercel::alerts {

struct Outbox::State {
    std::unique_ptr<Sink> sink;
    std::size_t capacity = 0;
    Warn warn;

    std::mutex mutex;
    std::condition_variable posted; // for the thread
    std::condition_variable idle;   // for drain(), constructor and destructor
    std::deque<Line> queue;
    Counters counters;
    std::uint64_t unreported = 0; // discarded since the last warning
    bool reopen = false;
    bool writing = false;
    bool running = false;
    bool stop = false;
    bool ended = false;

    // Waits, with the lock held, for the next line to write. Returns false at the end.
    bool next(std::unique_lock<std::mutex>& lock, Line& line, bool& reopen_first) {
        posted.wait(lock, [this] { return stop || reopen || !queue.empty(); });
        reopen_first = std::exchange(reopen, false);
        if (queue.empty())
            return !stop;
        line = std::move(queue.front());
        queue.pop_front();
        return true;
    }

    void run() {
        std::unique_lock lock(mutex);
        running = true;
        idle.notify_all();
        while (true) {
            Line line;
            bool reopen_first = false;
            if (!next(lock, line, reopen_first))
                break;
            writing = true;
            lock.unlock();
            const bool reopened = !reopen_first || sink->reopen();
            int error = reopened ? 0 : errno;
            const bool good = !line.text || sink->write(*line.text, line.priority);
            error = good ? error : errno;
            lock.lock();
            counters.error = error != 0 ? error : counters.error;
            writing = false;
            counters.gone = sink->gone();
            counters.failed += reopened ? 0 : 1;
            if (line.text)
                ++(good ? counters.written : counters.failed);
            if (unreported > 0 && queue.size() < capacity)
                queue.push_back(warn(sink->name(), std::exchange(unreported, 0)));
            if (queue.empty())
                idle.notify_all();
        }
        ended = true;
        idle.notify_all();
    }
};

Outbox::Outbox(std::unique_ptr<Sink> sink, std::size_t capacity, Warn warn)
    : state_(std::make_shared<State>()), name_(sink->name()) {
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

void Outbox::post(Line line) {
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
    return state_->idle.wait_for(lock, deadline,
                                 [this] { return state_->queue.empty() && !state_->writing; });
}

Outbox::Counters Outbox::counters() const {
    const std::lock_guard lock(state_->mutex);
    Counters counters = state_->counters;
    counters.waiting = state_->queue.size();
    return counters;
}

} // namespace tiercel::alerts
