// SPDX-License-Identifier: Apache-2.0
//
// What need_of() says that the tables do not need changes nothing in them, whatever the call's
// parameters are.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "analyzer/state/needs.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/params.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using namespace tiercel::state;
using test::EventBuilder;

namespace {

constexpr std::uint64_t kTid = 7;
constexpr std::int64_t kFds = 8;

// A thread with files and sockets at the first numbers.
StateTracker some_state() {
    StateTracker tracker;
    Thread thread;
    thread.tid = thread.pid = thread.vtid = thread.vpid = kTid;
    thread.uid = thread.gid = 1000;
    thread.process = make_process();
    thread.process->cwd.set("/home/");
    tracker.add(std::move(thread));
    for (std::int64_t number = 0; number < kFds; ++number) {
        Fd fd;
        fd.kind = number % 2 == 0 ? FdKind::file : FdKind::ipv4;
        fd.l4 = number % 4 == 1 ? L4::tcp : L4::udp;
        fd.name = Text("/file" + std::to_string(number));
        tracker.add_fd(kTid, number, std::move(fd));
    }
    tracker.link();
    return tracker;
}

std::string describe(const StateTracker& tracker) {
    std::string text;
    tracker.for_each_thread([&](const Thread& t) {
        text +=
            fmt::format("{} {} {} {} {} {} {} {:#x} {} {} {} {} {:#x} {:#x} {:#x} {} {} {} {} {} "
                        "{} {}\n",
                        t.tid, t.pid, t.ptid, t.vpid, t.sid, t.pgid, t.vpgid, t.flags, t.uid, t.gid,
                        t.loginuid, t.tty, t.cap_inheritable, t.cap_permitted, t.cap_effective,
                        t.comm.view(), t.name.view(), t.exe.view(), t.root.view(), t.cwd(),
                        t.process->subreaper, t.process->fds->size());
        t.process->fds->for_each([&](std::int64_t number, const Fd& fd) {
            text += fmt::format("  {} {} {} {:#x} {:#x} {} {} {}:{} {}:{}\n", number,
                                static_cast<int>(fd.kind), static_cast<int>(fd.l4), fd.flags,
                                fd.open_flags, fd.name.view(), fd.raw_name(),
                                fmt::join(fd.ends->source, "."), fd.ends->source_port,
                                fmt::join(fd.ends->dest, "."), fd.ends->dest_port);
        });
    });
    return text;
}

class Random {
  public:
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

    // Parameters of the event with these values at the start.
    EventBuilder event(const event::EventInfo& info, std::int64_t result) {
        EventBuilder builder(info.code);
        builder.tid(kTid);
        for (std::size_t i = 0; i < info.params.size(); ++i)
            i == 0 ? put_result(builder, info.params[0], result) : put(builder, info.params[i]);
        return builder;
    }

  private:
    static void put_result(EventBuilder& builder, const event::ParamInfo& param,
                           std::int64_t result) {
        event::width(param.type) == 4 ? builder.i32(static_cast<std::int32_t>(result))
                                      : builder.i64(result);
    }
    void put(EventBuilder& builder, const event::ParamInfo& param) {
        using namespace std::literals;
        // Addresses and tuples: a family, and what may follow it.
        static constexpr std::string_view kTuples[] = {
            "\x02\x7f\x00\x00\x01\x50\x00"sv,
            "\x02\x7f\x00\x00\x01\x50\x00\x7f\x00\x00\x02\x51\x00"sv, "\x01\x2f\x61\x00"sv, ""sv};
        switch (event::width(param.type)) {
        case 0:
            if (param.type == event::ParamType::SOCKADDR ||
                param.type == event::ParamType::SOCKTUPLE)
                builder.bytes(kTuples[below(std::size(kTuples))]);
            else
                builder.text(below(2) == 0 ? "/some/path" : "name");
            break;
        case 1: builder.u8(static_cast<std::uint8_t>(below(40))); break;
        case 2: builder.u16(static_cast<std::uint16_t>(below(40))); break;
        case 4: builder.u32(static_cast<std::uint32_t>(below(40))); break;
        default: builder.u64(below(10)); break;
        }
    }
    std::mt19937_64 engine_{1};
};

bool is_needed(const Need& need, std::int64_t error) {
    return need.failures == Failures::all ||
           (need.failures == Failures::pending && error == EINPROGRESS);
}

} // namespace

TEST_CASE("calls that fail change no table unless need_of() says so") {
    Random random;
    unsigned codes = 0, changes = 0;
    for (const event::EventInfo& info : event::events()) {
        if (!lives_on(info.code) || info.origin != event::Origin::SYSCALL || !info.is_exit() ||
            info.params.empty() || !info.emitted)
            continue;
        ++codes;
        const Need need = need_of(info.code, false);
        for (int round = 0; round < 300; ++round) {
            StateTracker tracker = some_state();
            const std::string before = describe(tracker);
            const std::int64_t error =
                round % 3 == 0 ? EINPROGRESS : static_cast<std::int64_t>(1 + random.below(133));
            EventBuilder event = random.event(info, -error);
            tracker.apply(event.view(), 0);
            tracker.settle();
            const std::string after = describe(tracker);
            changes += before != after ? 1 : 0;
            CAPTURE(info.name);
            if (!is_needed(need, error))
                CHECK(before == after);
        }
    }
    CHECK(codes > 40);
    CHECK(changes > 0); // connect does change them, so that the comparison sees something
}

// Applies successful events of the kind. Those whose parameter, of the type T, is not listed must
// change nothing.
template <typename T>
void check_numbers(std::uint16_t code, std::uint32_t param, std::initializer_list<T> listed) {
    Random random;
    unsigned changes = 0;
    for (int round = 0; round < 2000; ++round) {
        StateTracker tracker = some_state();
        const std::string before = describe(tracker);
        EventBuilder event = random.event(*event::find(code), 0);
        const event::EventView view = event.view();
        tracker.apply(view, 0);
        tracker.settle();
        const bool is_listed = std::ranges::find(listed, view.number<T>(param)) != std::end(listed);
        changes += before != describe(tracker) ? 1 : 0;
        if (!is_listed)
            CHECK(before == describe(tracker));
    }
    CHECK(changes > 0);
}

TEST_CASE("calls with other numbers than those of need_of() change no table") {
    namespace options = event::flags::prctl_options;
    namespace commands = event::flags::fcntl_commands;
    check_numbers<std::uint32_t>(event::SYSCALL_PRCTL_X, event::param::SYSCALL_PRCTL_X::option,
                                 {options::kPR_SET_NAME, options::kPR_SET_CHILD_SUBREAPER});
    check_numbers<std::uint8_t>(
        event::SYSCALL_FCNTL_X, event::param::SYSCALL_FCNTL_X::cmd,
        {commands::kF_DUPFD, commands::kF_DUPFD_CLOEXEC, commands::kF_SETFD});
}
