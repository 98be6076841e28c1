// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/watch.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

#include "analyzer/app/live.h"
#include "analyzer/app/loop.h"
#include "analyzer/app/sandbox.h"
#include "analyzer/app/selection.h"
#include "analyzer/output/event_json.h"
#include "analyzer/output/event_line.h"
#include "analyzer/output/statistics.h"
#include "analyzer/ring/iterator.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

constexpr int kFailure = 1;
constexpr unsigned kFdsForTheDoor = 16;

std::uint64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return kFailure;
}

// Names of users and groups, as far as the files can be read; without them ids are shown.
void load_names(state::Users& users) {
    std::string text(1 << 20, '\0');
    if (auto passwd = os::read_file("", "/etc/passwd", text))
        users.load_passwd(*passwd);
    if (auto group = os::read_file("", "/etc/group", text))
        users.load_group(*group);
}

// Everything from the first event to the last.
class Watch {
  public:
    Watch(const Options& options, Live live)
        : options_(options), live_(std::move(live)), selection_(options.syscalls),
          out_(STDOUT_FILENO), err_(STDERR_FILENO), line_(output::wants_colour(STDOUT_FILENO)),
          loop_(live_.session.rings, live_.session.reply.ring_bytes, options.seconds,
                {.read = [this] { return read(); }, .report = [this] { report(); }}) {
        load_names(engine_.users());
        engine_.set_boot_time(now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME));
    }

    int run() {
        auto confined = enter_sandbox(kFdsForTheDoor);
        if (!confined)
            return fail(confined.error(), confined.error().number == EPERM
                                              ? "start the pair with 'privd --exec -- analyzer ...'"
                                              : "");
        confinement_ = *confined;
        begun_ = now(CLOCK_MONOTONIC);
        if (auto taken = read_iterators(); !taken)
            return fail(taken.error());
        loop_.run();
        if (!finished_)
            read(); // what happened up to the end
        return end();
    }

  private:
    os::Result<void> read_iterators() {
        const auto apply = [this](const event::EventView& event) { engine_.apply(event, 0); };
        for (const auto* kind : {&live_.session.iter_task, &live_.session.iter_task_file}) {
            for (const os::UniqueFd& fd : *kind) {
                auto count = ring::IteratorReader().read_all(fd, apply);
                if (!count)
                    return count.error();
                const bool threads = kind == &live_.session.iter_task;
                (threads ? initial_threads_ : initial_fds_) += count->events;
                iterator_losses_ += count->skipped + (count->unframed_bytes > 0);
            }
        }
        engine_.link();
        live_.session.iter_task.clear();
        live_.session.iter_task_file.clear();
        return {};
    }

    std::size_t read() {
        live_.rings.batch([this](const ring::RingEvent& got) { return take(got); });
        if (!out_.flush() || !err_.flush())
            finish();
        return live_.rings.fullest();
    }

    // False: no more.
    bool take(const ring::RingEvent& got) {
        if (events_++ == 0)
            first_event_ns_ = now(CLOCK_MONOTONIC) - live_.session.reply.load_begin_ns;
        engine_.apply(got.view, got.cpu);
        if (!selection_.shows(got.view))
            return true;
        const output::Shown shown{events_, got.view, got.cpu, engine_};
        if (options_.form == Options::Form::json)
            json_.append(out_.buffer(), shown);
        else
            line_.append(out_.buffer(), shown);
        out_.line_done();
        if (++shown_ == options_.count || out_.error() != 0)
            finish();
        return !finished_;
    }

    void finish() {
        finished_ = true;
        loop_.stop();
    }

    void report() {
        output::append_statistics(err_.buffer(), {.rings = live_.rings,
                                                  .counters = live_.counters,
                                                  .engine = engine_,
                                                  .events = events_,
                                                  .shown = shown_,
                                                  .ns = now(CLOCK_MONOTONIC) - begun_,
                                                  .first_event_ns = first_event_ns_,
                                                  .load_ns = live_.session.reply.load_ns,
                                                  .initial_threads = initial_threads_,
                                                  .initial_fds = initial_fds_,
                                                  .iterator_losses = iterator_losses_,
                                                  .landlock_abi = confinement_.landlock_abi,
                                                  .uid = confinement_.uid});
        err_.flush();
    }

    int end() {
        out_.flush();
        if (out_.error() == EPIPE)
            return 0; // whoever read it has seen enough
        if (out_.error() != 0)
            return fail(os::error("write", "events to standard output", out_.error()));
        report();
        return 0;
    }

    const Options& options_;
    Live live_;
    const Selection selection_;
    state::Engine engine_;
    output::Writer out_, err_;
    output::EventLine line_;
    output::EventJson json_;
    Loop loop_;
    Confinement confinement_;
    bool finished_ = false;
    std::uint64_t events_ = 0, shown_ = 0, begun_ = 0;
    std::uint64_t initial_threads_ = 0, initial_fds_ = 0, iterator_losses_ = 0;
    std::optional<std::uint64_t> first_event_ns_;
};

} // namespace

int watch(const Options& options) {
    if (getuid() == 0 || geteuid() == 0)
        return fail(os::error("watch", "as root: it needs no privilege and takes none", 0),
                    "start the pair with 'privd --exec -- analyzer ...'");
    wire::Request request = options.request;
    Selection(options.syscalls).set_interest(request);
    auto opened = open_live(options.socket, request);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) {
        fmt::print(stderr, "analyzer: {}\n", refusal->line);
        return kFailure;
    }
    if (const auto* error = std::get_if<os::Error>(&opened)) {
        const bool absent = error->number == ENOENT || error->number == ECONNREFUSED;
        return fail(*error,
                    absent ? "is it running? Start the pair with 'privd --exec -- analyzer ...'"
                           : "");
    }
    return Watch(options, std::get<Live>(std::move(opened))).run();
}

} // namespace tiercel::app
