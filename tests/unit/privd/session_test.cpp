// SPDX-License-Identifier: Apache-2.0
//
// A session with a driver that loads nothing: every check of a request, the phases, and a whole
// hand-over. Nothing here needs privilege.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <thread>

#include "privd/door.h"
#include "privd/drivers/complaint.h"
#include "privd/session.h"
#include "shared/wire/client.h"

using namespace tiercel;
using namespace tiercel::privd;
using wire::Status;

namespace {

// A driver that "loads" by handing /dev/null over, or fails as `failure` says.
int failure = 0;

wire::Reply open_nothing(const char*) {
    return {};
}

wire::Reply prepare_nothing(std::uint64_t) {
    return {};
}

wire::Reply start_nothing(const wire::Request& request, pid_t self, Handover& into) {
    Load load(request, self, into);
    load.reply.ring_count = 1;
    load.reply.cpus = 1;
    bool done = into.add(wire::Kind::ring, open("/dev/null", O_RDWR | O_CLOEXEC)) &&
                into.add(wire::Kind::counters, open("/dev/null", O_RDONLY | O_CLOEXEC));
    errno = failure;
    return load.end(done && failure == 0);
}

constexpr policy::Allow kFew[] = {{"all that the session does after a hand-over",
                                   {SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvmsg),
                                    SCMP_SYS(close), SCMP_SYS(write), SCMP_SYS(exit_group)}}};

const Driver kFakeDriver{wire::Driver::modern, kFew,         kFew, {}, open_nothing,
                         prepare_nothing,      start_nothing};

// A session that would be refused for want of a capability, were its request right.
struct Talk {
    Talk() {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        peer = os::UniqueFd(ends[0]);
        session.socket = os::UniqueFd(ends[1]);
        session.refusal.status = Status::missing_capability;
    }
    // What the session answers to one record; Status::count when it answers nothing.
    Status say(const void* record, std::size_t bytes, std::span<const int> fds = {}) {
        REQUIRE(wire::send_record(peer, record, bytes, fds));
        auto served = session.run();
        CHECK_FALSE(served.has_value());
        wire::Reply reply;
        session.socket.reset();
        auto got = wire::receive_record(peer, &reply, sizeof reply);
        return got ? reply.status : Status::count;
    }
    os::UniqueFd peer;
    Session session{.driver = kFakeDriver, .plan = {}, .refusal = {}};
};

template <typename Change>
Status changed(Change change) {
    wire::Request request;
    change(request);
    return Talk().say(&request, sizeof request);
}

} // namespace

TEST_CASE("a right request gets as far as the capabilities") {
    CHECK(changed([](wire::Request&) {}) == Status::missing_capability);
}

TEST_CASE("every field is checked") {
    using wire::Request;
    CHECK(changed([](Request& r) { ++r.header.version; }) == Status::wrong_version);
    CHECK(changed([](Request& r) { r.header.magic = 0; }) == Status::malformed);
    CHECK(changed([](Request& r) { r.header.type = wire::Type::reply; }) == Status::malformed);
    CHECK(changed([](Request& r) { r.header.type = static_cast<wire::Type>(77); }) ==
          Status::malformed);
    CHECK(changed([](Request& r) { r.driver = wire::Driver::count; }) == Status::bad_driver);
    CHECK(changed([](Request& r) { r.driver = static_cast<wire::Driver>(~0u); }) ==
          Status::bad_driver);
    for (auto driver : {wire::Driver::classic, wire::Driver::module, wire::Driver::userspace})
        CHECK(changed([=](Request& r) { r.driver = driver; }) == Status::not_built_in);
    CHECK(changed([](Request& r) { r.attach = static_cast<wire::Attach>(3); }) ==
          Status::bad_attach);
    for (std::uint32_t bytes : {0u, 1u, 4096u, 32768u, 65535u, 65537u, 3u << 20, 1u << 31, ~0u})
        CHECK(changed([=](Request& r) { r.ring_bytes = bytes; }) == Status::bad_ring_bytes);
    for (std::uint32_t bytes : {65536u, 8u << 20, 1u << 30})
        CHECK(changed([=](Request& r) { r.ring_bytes = bytes; }) == Status::missing_capability);
    CHECK(changed([](Request& r) { r.cpus_per_ring = 1025; }) == Status::bad_cpus_per_ring);
    CHECK(changed([](Request& r) { r.cpus_per_ring = 0; }) == Status::missing_capability);
    CHECK(changed([](Request& r) { r.snaplen = 65001; }) == Status::bad_snaplen);
    for (std::uint32_t bytes : {0u, 4095u, 32769u})
        CHECK(changed([=](Request& r) { r.args_max = bytes; }) == Status::bad_args_max);
    CHECK(changed([](Request& r) { r.args_max = 32768; }) == Status::missing_capability);
    CHECK(changed([](Request& r) { r.tracepoints = 16; }) == Status::bad_tracepoints);
}

TEST_CASE("a filter with a value out of its range is refused, and no other") {
    using wire::Request;
    const auto row = [](const std::function<void(tiercel_filter_row&)>& change) {
        return changed([&](Request& r) { change(r.filter.rows[TIERCEL_FILTER_ROWS - 1]); });
    };
    constexpr Status kGood = Status::missing_capability; // as a right request's
    CHECK(row([](auto&) {}) == kGood);
    CHECK(changed([](Request& r) { r.filter.first[7] = TIERCEL_FILTER_ROWS; }) == kGood);
    CHECK(changed([](Request& r) { r.filter.first[7] = TIERCEL_FILTER_ROWS + 1; }) ==
          Status::bad_filter);
    CHECK(changed([](Request& r) { r.filter.told[7] = TIERCEL_ARGUMENTS; }) == kGood);
    CHECK(changed([](Request& r) { r.filter.told[7] = TIERCEL_ARGUMENTS + 1; }) ==
          Status::bad_filter);
    CHECK(row([](auto& r) { r.flags = TIERCEL_ROW_SUCCEEDED; }) == kGood);
    CHECK(row([](auto& r) { r.flags = TIERCEL_ROW_MORE; }) == Status::bad_filter);
    CHECK(row([](auto& r) { r.flags = 4; }) == Status::bad_filter);
    for (auto member : {&tiercel_filter_row::value_arg, &tiercel_filter_row::file_arg,
                        &tiercel_filter_row::text_arg}) {
        CHECK(row([=](auto& r) { r.*member = TIERCEL_NO_ARGUMENT; }) == kGood);
        CHECK(row([=](auto& r) { r.*member = TIERCEL_NO_ARGUMENT + 1; }) == Status::bad_filter);
    }
    CHECK(row([](auto& r) { r.files = TIERCEL_FILE_KINDS + 1; }) == Status::bad_filter);
    CHECK(row([](auto& r) { r.needle_bytes = TIERCEL_FILTER_NEEDLE + 1; }) == Status::bad_filter);
    CHECK(row([](auto& r) { r.unused[1] = 1; }) == Status::bad_filter);
    CHECK(row([](auto& r) { r.errors[0] = r.errors[1] = r.values = UINT64_MAX; }) == kGood);
}

TEST_CASE("tracepoints that only x86 kernels have are refused elsewhere") {
#ifdef __x86_64__
    constexpr Status kAnswer = Status::missing_capability; // as a right request's
#else
    constexpr Status kAnswer = Status::bad_tracepoints;
#endif
    CHECK(changed([](wire::Request& r) { r.tracepoints = TIERCEL_TP_PAGE_FAULT; }) == kAnswer);
    CHECK(changed([](wire::Request& r) { r.tracepoints = TIERCEL_TP_SWITCH; }) ==
          Status::missing_capability);
}

TEST_CASE("records of any other size are malformed, whatever they hold") {
    unsigned char garbage[sizeof(wire::Request) + 8];
    for (std::size_t bytes = 1; bytes <= sizeof garbage; ++bytes) {
        std::memset(garbage, 0xff, sizeof garbage);
        CHECK(Talk().say(garbage, bytes) == Status::malformed);
        if (bytes == sizeof(wire::Request))
            continue;
        wire::Request request;
        std::memcpy(garbage, &request,
                    std::min(bytes, sizeof request)); // right, and too short or long
        CHECK(Talk().say(garbage, bytes) == Status::malformed);
    }
}

TEST_CASE("a record with fds is malformed, and nothing is left open") {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fds[] = {null, null, null};
    wire::Request request;
    CHECK(Talk().say(&request, sizeof request, fds) == Status::malformed);
    int next = dup(null);
    CHECK(next == null + 1);
    close(next);
    close(null);
}

TEST_CASE("requests out of their phase end the session") {
    wire::DoorRequest door{.pid = 1};
    CHECK(Talk().say(&door, sizeof door) == Status::malformed);
    Talk later;
    later.session.phase = policy::Phase::door;
    wire::Request request;
    CHECK(later.say(&request, sizeof request) == Status::malformed);
}

TEST_CASE("another uid is refused before anything else is looked at") {
    Talk talk;
    talk.session.serves = 1234;
    talk.session.peer.uid = 1235;
    wire::Request request{.driver = wire::Driver::count};
    CHECK(talk.say(&request, sizeof request) == Status::wrong_peer);
}

TEST_CASE("an empty record is answered, and a peer that has gone is none") {
    CHECK(Talk().say("", 0) == Status::malformed);
    Talk gone;
    gone.peer.reset();
    auto served = gone.session.run();
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().number == ECONNRESET);
}

TEST_CASE("a peer that asks for nothing in time is told from one that has gone") {
    Talk talk;
    timeval patience{0, 1000};
    REQUIRE(setsockopt(talk.session.socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
                       sizeof patience) == 0);
    auto served = talk.session.run();
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().number == ETIMEDOUT);
}

TEST_CASE("a load that fails is told with its errno, and hands nothing over") {
    Talk talk;
    talk.session.refusal = {};
    failure = ENOMEM;
    wire::Request request;
    REQUIRE(wire::send_message(talk.peer, request));
    CHECK_FALSE(talk.session.run().has_value());
    failure = 0;
    wire::Reply reply;
    REQUIRE(wire::receive_record(talk.peer, &reply, sizeof reply));
    CHECK(reply.status == Status::load_failed);
    CHECK(reply.error == ENOMEM);
    CHECK(reply.driver == wire::Driver::modern);
}

// In a child, because the session installs its steady filter.
TEST_CASE("a right request gets the reply, every descriptor, and Done") {
    Talk talk;
    talk.session.refusal = {};
    pid_t child = fork();
    if (child == 0) {
        talk.peer.reset();
        bool served = talk.session.run().has_value();
        syscall(SYS_exit_group, served ? 0 : 1);
    }
    talk.session.socket.reset();
    auto session = wire::client::open_session(talk.peer, wire::Request{});
    REQUIRE(session);
    CHECK(session->reply.status == Status::ok);
    CHECK(session->rings.size() == 1);
    CHECK(session->counters.size() == 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("the door opens the files of the list, and gives the text of the links") {
    using wire::ProcFile;
    std::int32_t error = -1;
    for (ProcFile file : {ProcFile::cmdline, ProcFile::status, ProcFile::stat, ProcFile::cgroup}) {
        os::UniqueFd opened = open_door({.pid = getpid(), .file = file}, error);
        CHECK(error == 0);
        char byte = 0;
        CHECK(read(opened.get(), &byte, 1) == 1);
    }
    wire::LinkReply link;
    for (ProcFile file : {ProcFile::exe, ProcFile::cwd}) {
        CHECK_FALSE(open_door({.pid = getpid(), .file = file}, error).valid());
        CHECK(error == EINVAL);
        char target[4096];
        ssize_t length = readlink(file == ProcFile::exe ? "/proc/self/exe" : "/proc/self/cwd",
                                  target, sizeof target);
        REQUIRE(length > 0);
        CHECK(read_link({.pid = getpid(), .file = file}, link) == 0);
        CHECK(std::string_view(link.text, link.length) ==
              std::string_view(target, static_cast<std::size_t>(length)));
    }
    CHECK(read_link({.pid = getpid(), .file = ProcFile::stat}, link) == EINVAL);
    for (auto file : {ProcFile::count, static_cast<ProcFile>(~0u)}) {
        CHECK_FALSE(open_door({.pid = getpid(), .file = file}, error).valid());
        CHECK(error == EINVAL);
        CHECK(read_link({.pid = getpid(), .file = file}, link) == EINVAL);
    }
    for (std::int32_t pid : {0, -1, INT32_MIN}) {
        CHECK_FALSE(open_door({.pid = pid, .file = ProcFile::status}, error).valid());
        CHECK(error == EINVAL);
    }
    CHECK_FALSE(open_door({.pid = INT32_MAX, .file = ProcFile::status}, error).valid());
    CHECK(error == ENOENT);
}

TEST_CASE("of the verifier's log the last line that says something is kept") {
    const char* line = nullptr;
    auto verdict = [&](const char* log) {
        std::size_t length = last_verdict(log, line);
        return std::string(line != nullptr && length > 0 ? line : "", length);
    };
    CHECK(verdict("0: (b7) r0 = 0\nR1 type=ctx expected=fp\nprocessed 4 insns (limit 1000000)\n"
                  "verification time 20 usec\n") == "R1 type=ctx expected=fp");
    CHECK(verdict("one line").compare("one line") == 0);
    CHECK(verdict("processed 4 insns\n\n").empty());
    CHECK(verdict("").empty());
}
