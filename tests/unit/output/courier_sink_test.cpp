// SPDX-License-Identifier: Apache-2.0
//
// The analyzer's side of the courier's protocol, against a courier that the test plays.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "analyzer/output/alerts/outbox.h"
#include "shared/os/listener.h"

using namespace tiercel;
using namespace tiercel::alerts;
using namespace std::chrono_literals;

namespace {

std::string socket_path() {
    return (std::filesystem::temp_directory_path() / ("tiercel-sink-" + std::to_string(getpid())))
        .string();
}

std::unique_ptr<Sink> open_sink() {
    config::Settings settings;
    settings.hostname = "host";
    settings.output(config::Output::courier) = {.enabled = true, .target = socket_path()};
    auto sink = open_courier(settings);
    REQUIRE(sink.has_value());
    return *std::move(sink);
}

// What confirm() returns. On a busy machine the process that connects may answer later than the
// sink waits, so it is asked again.
int confirm(Sink& sink) {
    int error = sink.confirm();
    for (int tries = 0; error == ETIMEDOUT && tries < 10; ++tries)
        error = sink.confirm();
    return error;
}

Outbox::LinePointer line(const std::string& text) {
    return std::make_shared<const Line>(Line{text, config::Priority::error, "rule", 5});
}

// One connection of a sink.
struct Peer {
    os::UniqueFd fd;
    std::string bytes;
    explicit Peer(const os::UniqueFd& listener) : fd(accept(listener.get(), nullptr, nullptr)) {}

    // Reads the next record.
    std::string next() {
        wire::courier::Header header;
        for (;;) {
            if (bytes.size() >= sizeof header) {
                std::memcpy(&header, bytes.data(), sizeof header);
                if (bytes.size() >= header.bytes)
                    break;
            }
            char room[4096];
            const ssize_t got = read(fd.get(), room, sizeof room);
            REQUIRE(got > 0);
            bytes.append(room, static_cast<std::size_t>(got));
        }
        std::string record = bytes.substr(0, header.bytes);
        bytes.erase(0, header.bytes);
        return record;
    }
    wire::courier::Alert next_alert(std::string& text) {
        const std::string record = next();
        wire::courier::Alert alert;
        REQUIRE(record.size() >= sizeof alert);
        std::memcpy(&alert, record.data(), sizeof alert);
        text = record.substr(sizeof alert + alert.rule_bytes);
        return alert;
    }
    void confirm(std::uint64_t sequence) const {
        const wire::courier::Stored stored{
            .header = {.bytes = sizeof stored, .type = wire::courier::Type::stored},
            .sequence = sequence};
        REQUIRE(write(fd.get(), &stored, sizeof stored) == sizeof stored);
    }
};

} // namespace

TEST_CASE("alerts wait for a courier that is absent, and are sent again until they are stored") {
    unlink(socket_path().c_str());
    Outbox outbox(open_sink(), 100, [](const std::string&, std::uint64_t) { return line("full"); });
    CHECK(outbox.wants_json());
    outbox.post(line("one"));
    CHECK_FALSE(outbox.drain(200ms));
    CHECK(outbox.counters().failing == ENOENT);
    CHECK(outbox.counters().failed == 0);
    auto listener = os::listen_at(socket_path().c_str(), SOCK_STREAM);
    REQUIRE(listener.has_value());
    std::string text;
    std::uint64_t first = 0;
    {
        Peer peer(*listener);
        peer.next(); // the greeting
        outbox.post(line("two"));
        const auto alert = peer.next_alert(text);
        first = alert.sequence;
        CHECK(text == "one");
        CHECK(alert.priority == 3);
        CHECK(alert.time_ns == 5);
        CHECK(peer.next_alert(text).sequence == first + 1);
        peer.confirm(first);
        CHECK_FALSE(outbox.drain(200ms));
        CHECK(outbox.counters().written == 1);
        CHECK(outbox.counters().waiting == 1);
    } // the courier ends without having stored the second
    Peer peer(*listener);
    const std::string greeting = peer.next();
    CHECK(greeting.ends_with("host"));
    CHECK(peer.next_alert(text).sequence == first + 1);
    CHECK(text == "two");
    peer.confirm(first + 1);
    CHECK(outbox.drain(5s));
    CHECK(outbox.counters().written == 2);
    CHECK(outbox.counters().failing == 0);
    unlink(socket_path().c_str());
}

TEST_CASE("the state of the destinations comes from the courier") {
    unlink(socket_path().c_str());
    auto listener = os::listen_at(socket_path().c_str(), SOCK_STREAM);
    REQUIRE(listener.has_value());
    auto sink = open_sink();
    REQUIRE(confirm(*sink) == 0);
    REQUIRE(sink->write(*line("x")));
    Peer peer(*listener);
    wire::courier::State states[2];
    for (auto& state : states)
        state.header.bytes = sizeof state;
    std::strcpy(states[0].name, "siem");
    states[0].sent = 9;
    states[1].last = 1;
    REQUIRE(write(peer.fd.get(), states, sizeof states) == sizeof states);
    sink->confirm();
    const auto told = sink->destinations();
    REQUIRE(told.size() == 2);
    CHECK(std::string(told[0].name) == "siem");
    CHECK(told[0].sent == 9);
    unlink(socket_path().c_str());
}

TEST_CASE("the courier is connected before the first alert, and its absence is told") {
    unlink(socket_path().c_str());
    const auto sink = open_sink();
    CHECK(confirm(*sink) == ENOENT);
    auto listener = os::listen_at(socket_path().c_str(), SOCK_STREAM);
    REQUIRE(listener.has_value());
    {
        CHECK(confirm(*sink) == 0);
        Peer peer(*listener);
        CHECK(peer.next().ends_with("host"));
        wire::courier::State state;
        state.header.bytes = sizeof state;
        state.last = 1;
        REQUIRE(write(peer.fd.get(), &state, sizeof state) == sizeof state);
        sink->confirm();
        CHECK(sink->destinations().size() == 1);
    } // the courier ends
    CHECK(confirm(*sink) == ECONNRESET);
    CHECK(sink->destinations().empty());
    unlink(socket_path().c_str());
}

TEST_CASE("the courier is told the sum of the rules, again after a reload and a reconnection") {
    unlink(socket_path().c_str());
    auto listener = os::listen_at(socket_path().c_str(), SOCK_STREAM);
    REQUIRE(listener.has_value());
    const auto sink = open_sink();
    const auto sum_in = [](const std::string& record) {
        wire::courier::Rules rules;
        REQUIRE(record.size() == sizeof rules);
        std::memcpy(&rules, record.data(), sizeof rules);
        CHECK(rules.header.type == wire::courier::Type::rules);
        return rules.sum;
    };
    const wire::courier::Sha256 before{1}, after{2};
    sink->set_rules(before);
    {
        CHECK(confirm(*sink) == 0);
        Peer peer(*listener);
        peer.next(); // the greeting
        CHECK(sum_in(peer.next()) == before);
        sink->set_rules(after);
        CHECK(confirm(*sink) == 0);
        CHECK(confirm(*sink) == 0); // which has nothing to tell
        CHECK(sum_in(peer.next()) == after);
        CHECK(peer.bytes.empty());
    } // the courier ends
    CHECK(confirm(*sink) == ECONNRESET);
    CHECK(confirm(*sink) == 0);
    Peer peer(*listener);
    peer.next();
    CHECK(sum_in(peer.next()) == after);
    unlink(socket_path().c_str());
}
