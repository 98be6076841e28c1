// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/live_source.h"

#include "analyzer/ring/iterator.h"
#include "analyzer/service/clock.h"
#include "analyzer/source/machine.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

// Names of users and groups, as far as the files can be read; without them ids are shown.
void load_names(state::Users& users) {
    std::string text(1 << 20, '\0');
    if (auto passwd = os::read_file("", "/etc/passwd", text))
        users.load_passwd(*passwd);
    if (auto group = os::read_file("", "/etc/group", text))
        users.load_group(*group);
}

// The engine's name in metrics, which is Falco's.
std::string_view driver_name(wire::Driver driver) {
    const wire::DriverRow* row = wire::find_row(driver);
    return row != nullptr ? row->metric : wire::option_of(driver);
}

} // namespace

LiveSource::LiveSource(Live live, Pipeline& pipeline)
    : live_(std::move(live)), pipeline_(pipeline), machine_(this_machine()) {
    load_names(pipeline.state().users());
    pipeline.state().set_boot_time(machine_.boot_ns);
    if (live_.session.reply.door != 0)
        door_ = ProcDoor::look(live_.privd);
}

os::Result<void> LiveSource::begin() {
    state::StateTracker& state = pipeline_.state();
    const auto apply = [&state](const event::EventView& event) { state.apply(event, 0); };
    for (auto* kind : {&live_.session.iter_task, &live_.session.iter_task_file}) {
        for (const os::UniqueFd& fd : *kind) {
            auto count = ring::IteratorReader().read_all(fd, apply);
            if (!count)
                return count.error();
            const bool threads = kind == &live_.session.iter_task;
            (threads ? initial_threads_ : initial_fds_) += count->events;
            iterator_losses_ += count->skipped + (count->unframed_bytes > 0);
        }
        kind->clear();
    }
    if (live_.session.reply.door != 0) {
        initial_threads_ = door_.tell(live_.privd, state);
        live_.privd.reset(); // nothing else is asked: privd may go
    }
    state.link();
    return {};
}

std::size_t LiveSource::read() {
    const auto take = [this](const ring::RingEvent& got) {
        if (!first_event_ns_)
            first_event_ns_ = now_ns(CLOCK_MONOTONIC) - live_.session.reply.load_begin_ns;
        return pipeline_.take(got.view, got.cpu);
    };
    live_.rings.batch(take);
    return live_.rings.fullest();
}

std::optional<output::LiveStatistics> LiveSource::statistics() const {
    return output::LiveStatistics{.rings = live_.rings,
                                  .counters = live_.counters,
                                  .driver = driver_name(live_.session.reply.driver),
                                  .of_machine =
                                      live_.session.reply.driver != wire::Driver::userspace,
                                  .first_event_ns = first_event_ns_,
                                  .load_ns = live_.session.reply.load_ns,
                                  .initial_threads = initial_threads_,
                                  .initial_fds = initial_fds_,
                                  .iterator_losses = iterator_losses_};
}

} // namespace tiercel::app
