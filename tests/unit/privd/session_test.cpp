// SPDX-License-Identifier: Apache-2.0
// A session up to the point where the kernel would be asked: nothing here needs privilege.
#include "privd/privd.h"

#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace tiercel;
using namespace tiercel::privd;
using wire::Status;

namespace {

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
    Session session;
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
    CHECK(changed([](Request& r) { r.driver = static_cast<wire::Driver>(5); }) ==
          Status::bad_driver);
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
    CHECK(changed([](Request& r) { r.tracepoints = 8; }) == Status::bad_tracepoints);
}

TEST_CASE("tracepoints that only x86 kernels have are refused elsewhere") {
#ifdef __x86_64__
    constexpr Status answer = Status::missing_capability; // as a right request's
#else
    constexpr Status answer = Status::bad_tracepoints;
#endif
    CHECK(changed([](wire::Request& r) { r.tracepoints = TIERCEL_TP_PAGE_FAULT; }) == answer);
    CHECK(changed([](wire::Request& r) { r.tracepoints = TIERCEL_TP_SWITCH; }) ==
          Status::missing_capability);
}

TEST_CASE("records of any other size are malformed, whatever they hold") {
    unsigned char garbage[512];
    for (std::size_t bytes = 1; bytes <= sizeof garbage; ++bytes) {
        std::memset(garbage, 0xff, sizeof garbage);
        CHECK(Talk().say(garbage, bytes) == Status::malformed);
        if (bytes == sizeof(wire::Request))
            continue;
        wire::Request request;
        std::memcpy(garbage, &request, sizeof request); // a right beginning, a wrong length
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

TEST_CASE("the door opens what is on the menu and nothing else") {
    using wire::ProcFile;
    std::int32_t failure = -1;
    auto open_own = [&](ProcFile file, std::uint32_t fd = 0) {
        return open_door({.pid = getpid(), .file = file, .fd = fd}, failure);
    };
    for (std::uint32_t file = 0; file < static_cast<std::uint32_t>(ProcFile::count); ++file) {
        CAPTURE(file);
        os::UniqueFd opened = open_own(static_cast<ProcFile>(file));
        if (static_cast<ProcFile>(file) == ProcFile::loginuid && failure == ENOENT)
            continue; // a kernel without audit
        CHECK(failure == 0);
        CHECK(opened.valid());
        // Links, up to ns_cgroup, give nothing to read.
        char byte;
        if (static_cast<ProcFile>(file) <= ProcFile::ns_cgroup)
            CHECK(read(opened.get(), &byte, 1) < 0);
        else
            CHECK(read(opened.get(), &byte, 1) >= 0);
    }
    char target[256] = {}, opened_target[256] = {};
    os::UniqueFd exe = open_own(ProcFile::exe);
    REQUIRE(readlink("/proc/self/exe", target, sizeof target - 1) > 0);
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", exe.get());
    REQUIRE(readlink(self, opened_target, sizeof opened_target - 1) > 0);
    CHECK(std::strcmp(target, opened_target) == 0);
    CHECK_FALSE(open_own(ProcFile::count).valid());
    CHECK(failure == EINVAL);
    CHECK_FALSE(open_own(static_cast<ProcFile>(~0u)).valid());
    CHECK_FALSE(open_own(ProcFile::fdinfo, 0xffffffff).valid());
    CHECK(failure == ENOENT);
    for (std::int32_t pid : {0, -1, INT32_MIN}) {
        CHECK_FALSE(open_door({.pid = pid, .file = ProcFile::status}, failure).valid());
        CHECK(failure == EINVAL);
    }
    CHECK_FALSE(open_door({.pid = INT32_MAX, .file = ProcFile::status}, failure).valid());
    CHECK(failure == ENOENT);
}
