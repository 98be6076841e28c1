// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/live_source.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>

#include "analyzer/ring/iterator.h"
#include "analyzer/service/crash_mark.h"
#include "analyzer/source/machine.h"
#include "analyzer/state/proc_text.h"
#include "shared/event/params.h"
#include "shared/os/clock.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

// Loads the names of users and groups. Without the files, alerts show numbers only.
void load_names(state::Users& users) {
    std::string text(1 << 20, '\0');
    if (auto passwd = os::read_file("", "/etc/passwd", text))
        users.load_passwd(*passwd);
    if (auto group = os::read_file("", "/etc/group", text))
        users.load_group(*group);
}

// Returns the engine's name in metrics, which is Falco's.
std::string_view driver_name(wire::Driver driver) {
    const wire::DriverRow* row = wire::find_row(driver);
    return row != nullptr ? row->metric : wire::option_of(driver);
}

} // namespace

LiveSource::LiveSource(Live live, Pipeline& pipeline)
    : live_(std::move(live)), pipeline_(pipeline), machine_(this_machine()) {
    load_names(pipeline.state().users());
    pipeline.state().set_boot_time(machine_.boot_ns);
    follow_rings();
    if (live_.memories.progress)
        mark_crashes(live_.memories.progress.shared().signal);
    if (live_.has_own_events)
        task_directory_ = os::UniqueFd(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (live_.session.reply.door != 0)
        door_ = ProcDoor::look(live_.privd);
    if (live_.session.reply.driver == wire::Driver::modern)
        command_lines_ = CommandLines::read();
    if (const std::size_t missed = command_lines_.missed(); missed > 0)
        fmt::print(stderr,
                   "analyzer: the command lines of {} running processes are not known, because "
                   "/proc/PID/cmdline did not answer in time\n",
                   missed);
}

// Adds the command line, if the driver could not give it, to a thread that an iterator has listed.
void LiveSource::add_command_line(const event::EventView& event) {
    namespace task = event::param::ITER_TASK_E;
    if (event.code() != event::ITER_TASK_E || !event.param(task::argv).empty())
        return;
    const auto line = command_lines_.find(static_cast<std::int64_t>(event.raw_tid() >> 32));
    state::Thread* thread = pipeline_.state().current().thread;
    if (thread != nullptr && !line.empty())
        state::set_command_line(*thread, line);
}

// The analyzer's own work is no event: each batch would make the next one.
bool LiveSource::is_own(const event::EventView& event) const {
    return std::ranges::find(own_threads_, event.raw_tid()) != own_threads_.end();
}

void LiveSource::threads_started() {
    if (!task_directory_.valid())
        return;
    DIR* directory = fdopendir(task_directory_.release());
    while (const dirent* entry = directory != nullptr ? readdir(directory) : nullptr)
        if (const auto tid = os::parse_unsigned(entry->d_name))
            own_threads_.push_back(*tid);
    if (directory != nullptr)
        closedir(directory);
}

// Gives the pipeline one event of a ring.
bool LiveSource::take(const event::EventView& event, std::uint16_t cpu) {
    if (is_own(event)) {
        ++own_events_;
        return true;
    }
    if (!first_event_ns_)
        first_event_ns_ = os::now_ns(CLOCK_MONOTONIC) - live_.session.reply.load_begin_ns;
    return pipeline_.take(event, cpu);
}

// Empties the rings while something else goes on, so that nothing is dropped. As long as the rings
// have room the events stay there, where the next analyzer would find them.
void LiveSource::hold() {
    if (held_.is_full() || live_.rings.waiting() < live_.rings.ring_bytes() / 2)
        return;
    live_.rings.follow(nullptr);
    const ring::Progress& progress = live_.memories.progress;
    live_.rings.batch([&](const ring::RingEvent& got) {
        const bool is_again = progress && got.place == progress.unfinished();
        return (is_again ? again_ : held_).add(got.view, got.cpu);
    });
    follow_rings();
}

void LiveSource::follow_rings() {
    if (live_.memories.progress)
        live_.rings.follow(&live_.memories.progress);
}

// Reads the first iterator of the kind, and returns how many events it gave. The others are spare,
// because an iterator can be read once only.
os::Result<std::uint64_t> LiveSource::read_iterator(std::vector<os::UniqueFd>& kind,
                                                    const std::function<void()>& between) {
    if (kind.empty())
        return std::uint64_t{0};
    const auto apply = [this](const event::EventView& event) {
        pipeline_.state().apply(event, 0);
        add_command_line(event);
    };
    auto count = ring::IteratorReader().read_all(kind.front(), apply, between);
    if (!count)
        return count.error();
    iterator_losses_ += count->skipped + (count->unframed_bytes > 0);
    kind.clear();
    return count->events;
}

// Events wait until the processes are known, and half a second for their files. Then they are
// processed while the rest of the files is read, because any user can open a million.
os::Result<void> LiveSource::begin(const Meanwhile& meanwhile) {
    constexpr std::uint64_t kPatienceNs = 500'000'000;
    const std::uint64_t end_ns = os::now_ns(CLOCK_MONOTONIC) + kPatienceNs;
    const auto wait = [this, &meanwhile] {
        hold();
        meanwhile.alive();
    };
    const auto wait_or_read = [&] {
        os::now_ns(CLOCK_MONOTONIC) < end_ns ? wait() : meanwhile.read();
    };
    auto threads = read_iterator(live_.session.iter_task, wait);
    if (!threads)
        return threads.error();
    pipeline_.state().link_threads();
    auto files = read_iterator(live_.session.iter_task_file, wait_or_read);
    if (!files)
        return files.error();
    initial_threads_ = *threads;
    initial_fds_ = *files;
    if (live_.session.reply.door != 0) {
        initial_threads_ = door_.tell(live_.privd, pipeline_.state(), wait);
        live_.privd.reset(); // nothing else is asked, so that privd can end
    }
    pipeline_.state().link();
    if (live_.memories.progress)
        live_.memories.progress.shared().barren = 0;
    return {};
}

// Gives the pipeline the last events of the earlier probe, and gives up its rings.
void LiveSource::read_predecessor() {
    Predecessor& earlier = *live_.predecessor;
    const auto take_early = [this, &earlier](const ring::RingEvent& got) {
        return got.view.ts() >= earlier.before || take(got.view, got.cpu);
    };
    earlier.held.give([&earlier, this](const event::EventView& event, std::uint16_t cpu) {
        return event.ts() >= earlier.before || take(event, cpu);
    });
    while (!pipeline_.stopped() && earlier.rings.batch(take_early) > 0)
        ;
    live_.predecessor.reset();
}

// Evaluates the event that the analyzer before did not finish, under its place, by which the alerts
// that this one has sent about it are known.
void LiveSource::read_again() {
    const ring::Progress& progress = live_.memories.progress;
    const ring::Progress::Place place = progress.unfinished();
    progress.begin(place.ring, place.position);
    again_.give([this](const event::EventView& event, std::uint16_t cpu) {
        return event.ts() < live_.since || take(event, cpu);
    });
    progress.end(place.ring, place.position + 1);
}

std::size_t LiveSource::read() {
    const auto take_late = [this](const event::EventView& event, std::uint16_t cpu) {
        return event.ts() < live_.since || take(event, cpu);
    };
    if (live_.predecessor)
        read_predecessor();
    if (!again_.empty())
        read_again();
    if (!held_.empty())
        held_.give(take_late);
    if (!pipeline_.stopped())
        live_.rings.batch(
            [&take_late](const ring::RingEvent& got) { return take_late(got.view, got.cpu); });
    return live_.rings.fullest();
}

std::optional<output::LiveStatistics> LiveSource::statistics() const {
    return output::LiveStatistics{
        .rings = live_.rings,
        .counters = live_.counters,
        .driver = driver_name(live_.session.reply.driver),
        .of_machine = live_.session.reply.driver != wire::Driver::userspace,
        .first_event_ns = first_event_ns_,
        .load_ns = live_.session.reply.load_ns,
        .initial_threads = initial_threads_,
        .initial_fds = initial_fds_,
        .iterator_losses = iterator_losses_,
        .own_events = own_events_,
        .lost_events = live_.lost_events,
        .readers = live_.memories.progress ? live_.memories.progress.shared().readers : 1,
        .skipped = live_.memories.progress ? live_.memories.progress.shared().skipped : 0,
        .held = live_.session.reply.held};
}

} // namespace tiercel::app
