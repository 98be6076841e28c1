// SPDX-License-Identifier: Apache-2.0
#include "courier/delivery/pump.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>

#include "courier/delivery/text.h"

namespace tiercel::courier {

namespace {

constexpr std::size_t kMostBytes = 256 << 10;
constexpr std::chrono::milliseconds kPatience{1000};

} // namespace

Backoff::Backoff(Pause first, Pause longest)
    : first_(first), longest_(longest), pause_(first), random_(std::random_device{}()) {}

Backoff::Pause Backoff::next() {
    const auto whole = std::min(pause_, longest_).count();
    pause_ = std::min(2 * pause_, longest_);
    return Pause(std::uniform_int_distribution<Pause::rep>(whole / 2, whole)(random_));
}

Pump::Pump(Spool& spool, std::size_t number, std::string name,
           std::unique_ptr<Destination> destination, Backoff backoff, Notices& notices)
    : spool_(spool), number_(number), name_(std::move(name)), destination_(std::move(destination)),
      backoff_(backoff), notices_(notices), at_once_(destination_->most_records()),
      thread_([this] { run(); }) {}

void Pump::stop() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
}

bool Pump::wait(std::chrono::steady_clock::time_point end) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, end, [this] { return ended_; }))
        return false;
    lock.unlock();
    thread_.join();
    return true;
}

Pump::State Pump::state() const {
    return {.sent = sent_, .failed = failed_, .retried = retried_, .connected = connected_};
}

void Pump::run() {
    prctl(PR_SET_NAME, name_.c_str(), 0, 0, 0);
    Batch batch;
    std::unique_lock lock(mutex_);
    while (!stop_) {
        lock.unlock();
        bool pause = false;
        if (spool_.read(number_, at_once_, kMostBytes, batch, kPatience))
            pause = !attempt(batch.records);
        lock.lock();
        if (pause)
            changed_.wait_for(lock, backoff_.next(), [this] { return stop_; });
    }
    ended_ = true;
    changed_.notify_all();
}

bool Pump::attempt(std::span<const Record> records) {
    const Sent sent = destination_->send(records);
    pass(records.first(std::min(sent.delivered, records.size())));
    switch (sent.outcome) {
    case Sent::Outcome::done:
        succeeded();
        at_once_ = destination_->most_records();
        return true;
    case Sent::Outcome::retry: failed(sent.error); return false;
    case Sent::Outcome::refused:
        // One bad record must not take others with it, so that the next attempt sends it alone.
        if (records.size() - sent.delivered == 1)
            refused(records.back(), sent.error);
        at_once_ = 1;
        return true;
    }
    return false;
}

// Moves the cursor behind the records, which the receiver has acknowledged.
void Pump::pass(std::span<const Record> records) {
    if (records.empty())
        return;
    sent_ += records.size();
    if (auto moved = spool_.advance(number_, records.back().index + 1); !moved)
        os::print("tiercel-courier", moved.error(), "alerts may be sent twice after a restart");
}

void Pump::succeeded() {
    connected_ = true;
    backoff_.reset();
    if (!std::exchange(gone_, false))
        return;
    os::write_stderr("tiercel-courier: the destination %s is back\n", name_.c_str());
    notices_.add({.what = "destination back",
                  .message = "Alerts reach the destination " + name_ + " again",
                  .destination = name_,
                  .good = true});
}

void Pump::failed(const std::string& error) {
    connected_ = false;
    ++retried_;
    if (std::exchange(gone_, true))
        return;
    os::write_stderr("tiercel-courier: the destination %s fails, alerts wait in the spool: %s\n",
                     name_.c_str(), error.c_str());
    notices_.add({.what = "destination fails",
                  .message = "Alerts for the destination " + name_ + " wait in the spool: " + error,
                  .destination = name_});
}

void Pump::refused(const Record& record, const std::string& error) {
    ++failed_;
    os::write_stderr("tiercel-courier: the destination %s refuses the alert %s for good: %s\n",
                     name_.c_str(), id_of(record).c_str(), error.c_str());
    if (auto moved = spool_.advance(number_, record.index + 1); !moved)
        os::print("tiercel-courier", moved.error(), "alerts may be sent twice after a restart");
}

} // namespace tiercel::courier
