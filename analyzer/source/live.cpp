// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/live.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <thread>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/perf_ring.h"
#include "analyzer/service/connect.h"
#include "analyzer/source/capability_log.h"
#include "analyzer/source/drain.h"
#include "shared/os/clock.h"
#include "shared/os/file.h"
#include "shared/os/inherited.h"

namespace tiercel::app {

namespace {

// A socket that `privd --exec` left open for its analyzer.
os::Result<os::UniqueFd> inherited_socket(std::string_view number) {
    const auto fd = os::parse_unsigned(number);
    int type = 0;
    socklen_t length = sizeof type;
    if (!fd || *fd <= STDERR_FILENO || *fd > INT_MAX)
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    os::UniqueFd socket(static_cast<int>(*fd));
    if (getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_SEQPACKET) {
        (void)socket.release(); // a descriptor of another kind belongs to another part
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    }
    return socket;
}

// Returns the sockets to ask, in the order of preference: one, or one for each driver started.
os::Result<std::vector<os::UniqueFd>> reach_privd(const std::string& path) {
    std::vector<os::UniqueFd> sockets;
    const std::string_view inherited = os::inherited().privd_sockets;
    if (!path.empty() || inherited.empty()) {
        auto socket = path.empty() ? wire::client::connect_to(kDefaultSocket)
                                   : connect_patiently(path.c_str());
        if (!socket)
            return socket.error();
        sockets.push_back(*std::move(socket));
        return sockets;
    }
    for (std::string_view rest = inherited; !rest.empty();) {
        auto socket = inherited_socket(rest.substr(0, rest.find(',')));
        if (!socket)
            return socket.error();
        sockets.push_back(*std::move(socket));
        rest.remove_prefix(std::min(rest.size(), rest.find(',')));
        rest.remove_prefix(rest.empty() ? 0 : 1);
    }
    return sockets;
}

// How long an earlier probe and its successor both capture.
constexpr std::chrono::milliseconds kOverlap{50};
// So many analyzers may end one after another, before they read a record, without a pause.
constexpr std::uint64_t kBarrenReaders = 3;

using Opened = std::variant<Live, Refusal, os::Error>;

Opened map_session(os::UniqueFd socket, wire::client::Session session) {
    if (session.rings.empty() || session.counters.size() != 1)
        return os::error("use", "what privd sent: rings or counters are missing", EBADMSG);
    const auto map = session.reply.driver == wire::Driver::classic
                         ? ring::RingSet::map<ring::PerfRing>
                         : ring::RingSet::map<ring::BpfRing>;
    auto rings = map(session.rings, session.reply.ring_bytes);
    if (!rings)
        return rings.error();
    auto counters = ring::Counters::map(session.counters.front(), session.reply.cpus);
    if (!counters)
        return counters.error();
    return Live{.request = {},
                .privd = std::move(socket),
                .session = std::move(session),
                .rings = *std::move(rings),
                .counters = *std::move(counters),
                .memories = {},
                .poison = {},
                .predecessor = {}};
}

// Goes on with a session that another analyzer has left.
Opened resume(KeptSession kept) {
    auto mapped = map_session({}, std::move(kept.session));
    auto* live = std::get_if<Live>(&mapped);
    if (live == nullptr)
        return mapped;
    live->request = kept.request;
    live->memories = std::move(kept.memories);
    live->is_resumed = live->has_own_events = true;
    ring::Progress& progress = live->memories.progress;
    if (!live->rings.resume(progress, live->session.reply.driver == wire::Driver::modern))
        return os::error("use", "the kept rings: their positions are at no record", EBADMSG);
    if (progress.shared().barren > kBarrenReaders)
        std::this_thread::sleep_for(std::chrono::seconds(1)); // whatever ends them takes no CPU
    if (const auto place = progress.start_reader()) {
        const ring::Bytes record = live->rings.skip(place, progress);
        live->poison.assign(record.begin(), record.end());
    }
    return mapped;
}

// Returns the kept session, if there is one that can be read. Sets `foreign` if it is that of an
// analyzer of another version, whose probe still captures.
std::optional<Live> open_kept(const Notify& notify, std::optional<ForeignSession>& foreign) {
    auto kept = take_kept();
    if (kept && std::holds_alternative<std::monostate>(*kept))
        return std::nullopt;
    if (auto* of_other = kept ? std::get_if<ForeignSession>(&*kept) : nullptr) {
        if (of_other->rings.size() == 0) // the module loads for one at a time
            forget_kept(notify);
        foreign = std::move(*of_other);
        return std::nullopt;
    }
    std::optional<os::Error> why;
    if (kept) {
        auto opened = resume(std::get<KeptSession>(*std::move(kept)));
        if (auto* live = std::get_if<Live>(&opened))
            return std::move(*live);
        why = std::get<os::Error>(opened);
    } else {
        why = kept.error();
    }
    os::print("analyzer", *why, "asking privd for another");
    forget_kept(notify);
    return std::nullopt;
}

using Times = std::vector<std::uint64_t>;

// Adds the times of the events that wait in the session's rings, in nanoseconds since boot.
void add_times(const wire::client::Session& session, Times& times) {
    auto rings = ring::RingSet::map<ring::BpfRing>(session.rings, session.reply.ring_bytes);
    if (!rings)
        return;
    for (const std::uint64_t time : rings->pass_times())
        times.push_back(time - session.reply.boot_time_ns);
}

// Says how many events the earlier probe has dropped since `before`, because its counters go with
// it. Returns that number.
std::uint64_t tell_dropped(const Live& old, std::uint64_t before) {
    const std::uint64_t dropped = old.counters.total().dropped() - before;
    if (dropped > 0)
        os::print("analyzer",
                  os::error("keep", fmt::format("{} events, while privd loaded", dropped), 0),
                  "raise --ring-size");
    return dropped;
}

// Goes over from `old` to `live`, after both have captured for a while. `drain` has kept the rings
// of `old` from filling.
void go_over(Live& old, Drain& drain, std::uint64_t dropped_before, Live& live,
             const Notify& notify) {
    const std::uint64_t begin = os::now_ns(CLOCK_BOOTTIME);
    std::this_thread::sleep_for(kOverlap);
    const std::uint64_t end = os::now_ns(CLOCK_BOOTTIME);
    HeldEvents held = drain.end();
    Times times;
    held.show([&times, &old](const event::EventView& event, std::uint16_t) {
        times.push_back(event.ts() - old.session.reply.boot_time_ns);
        return true;
    });
    add_times(old.session, times);
    add_times(live.session, times);
    const Gap gap = longest_gap(std::move(times), begin, end);
    fmt::print(stderr,
               "analyzer: the probe is loaded for the new rules; the events of the earlier probe "
               "end in a gap of {} us\n",
               gap.width / 1000);
    if (gap.width < kSafeGap)
        os::print("analyzer", os::error("find", "a time without an event", 0),
                  "one event may be missed or be evaluated twice");
    live.since = gap.middle + live.session.reply.boot_time_ns;
    live.poison = std::move(old.poison);
    live.lost_events = tell_dropped(old, dropped_before);
    live.predecessor = Predecessor{.held = std::move(held),
                                   .rings = std::move(old.rings),
                                   .before = gap.middle + old.session.reply.boot_time_ns};
    live.memories.earlier_alerts = std::move(old.memories.alerts);
    forget_kept(notify); // with which the earlier probe is detached
}

// Has the manager keep what privd has granted. Without that, the session lasts as long as this
// process.
void keep_live(Live& live, const wire::Request& request, const Notify& notify) {
    const wire::Driver driver = live.session.reply.driver;
    live.request = request;
    live.has_own_events = request.readers > 1;
    log_capabilities(live.session.reply);
    if (request.readers > 1 && (driver == wire::Driver::modern || driver == wire::Driver::module)) {
        if (auto memories = keep(notify, request, live.session)) {
            live.memories.progress = std::move(memories->progress);
            live.memories.alerts = std::move(memories->alerts);
            live.memories.progress.start_reader();
        } else {
            os::print("analyzer", memories.error(), "a restart will ask privd again");
            forget_kept(notify);
        }
    }
    live.session.iter_task.resize(std::min<std::size_t>(live.session.iter_task.size(), 1));
    live.session.iter_task_file.resize(
        std::min<std::size_t>(live.session.iter_task_file.size(), 1));
}

// Gives up the session of an analyzer of another version, after the new probe has begun to capture.
// Returns how many of its events no analyzer has evaluated: those of the time from the end of that
// analyzer to the new probe's begin.
std::uint64_t leave(ForeignSession& foreign, const Notify& notify) {
    const std::uint64_t lost = foreign.rings.pass_times().size();
    if (foreign.rings.size() > 0) {
        os::print("analyzer",
                  os::error("read",
                            fmt::format("the last {} events of the earlier probe, which an "
                                        "analyzer of another version had loaded",
                                        lost),
                            0),
                  "no rule has seen them");
        forget_kept(notify);
    }
    return lost;
}

Opened ask_privd(const std::string& path, const wire::Request& request) {
    auto sockets = reach_privd(path);
    if (!sockets)
        return sockets.error();
    const bool choice = sockets->size() > 1;
    for (os::UniqueFd& socket : *sockets) {
        auto session = wire::client::open_session(socket, request);
        if (!session && !choice)
            return session.error();
        if (!session) // this loader ended, and has printed why
            continue;
        const wire::Reply& reply = session->reply;
        if (reply.status == wire::Status::ok)
            return map_session(std::move(socket), *std::move(session));
        if (!choice || request.driver == reply.driver)
            return Refusal{wire::client::describe(reply)};
        if (reply.status !=
            wire::Status::not_built_in) // the request named a driver, and this one is another
            fmt::print(stderr, "analyzer: driver {} is passed over: {}\n",
                       wire::option_of(reply.driver), wire::client::describe(reply));
    }
    return Refusal{"no driver for the whole machine works here; for the events of one program, "
                   "which need no privilege: tiercel-trace -- COMMAND"};
}

} // namespace

Opened open_live(const std::string& path, wire::Request request, const Notify& notify) {
    std::optional<Live> kept;
    std::optional<ForeignSession> foreign;
    if (notify.has_manager()) {
        request.readers = kReaders;
        kept = open_kept(notify, foreign);
        const bool enough = kept && covers(kept->request, kept->session.reply, request);
        if (kept && !enough && !notify.has_privd())
            os::print("analyzer", os::error("capture", "all that the rules look at", 0),
                      "the probe was loaded for other rules; start Tiercel again");
        if (kept && (enough || !notify.has_privd())) {
            kept->may_load_again = notify.has_privd();
            return *std::move(kept);
        }
        if (kept && kept->session.reply.driver != wire::Driver::modern) {
            forget_kept(notify); // the module loads for one at a time
            kept.reset();
        }
    }
    std::optional<Drain> drain;
    std::uint64_t dropped_before = 0;
    if (kept) {
        dropped_before = kept->counters.total().dropped();
        drain.emplace(kept->rings);
    }
    auto opened = ask_privd(path, request);
    if (auto* live = std::get_if<Live>(&opened)) {
        if (kept && live->session.reply.driver == wire::Driver::modern)
            go_over(*kept, *drain, dropped_before, *live, notify);
        else if (kept)
            forget_kept(notify);
        if (foreign)
            live->lost_events = leave(*foreign, notify);
        live->may_load_again = notify.has_privd();
        keep_live(*live, request, notify);
        live->session.counters.clear(); // mappings outlive their fds
    }
    return opened;
}

} // namespace tiercel::app
