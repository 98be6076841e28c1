// SPDX-License-Identifier: Apache-2.0
//
// The analyzer's side of the enricher's protocol: who is asked, again, and after a new connection.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "analyzer/observers/enrichment.h"
#include "shared/os/listener.h"

using namespace tiercel;
using wire::enrich::Part;
using wire::enrich::Question;
using wire::enrich::Runtime;
using wire::enrich::Subject;

namespace {

const std::string kId(64, 'a'), kShown(12, 'a');
constexpr std::uint64_t kSecond = 1'000'000'000;

// An enricher that the test plays, and the analyzer's side of the connection.
struct Played {
    std::string directory = "/tmp/tiercel-enrichment-XXXXXX";
    os::UniqueFd listener, peer;
    state::Containers containers;
    std::unique_ptr<app::Enrichment> enrichment;
    std::uint64_t now_ns = kSecond;

    explicit Played(const std::string& cgroup) {
        REQUIRE(mkdtemp(directory.data()) != nullptr);
        listen();
        auto made = app::Enrichment::make(path(), containers);
        REQUIRE(made);
        enrichment = *std::move(made);
        accept();
        containers.meet("cpu=/" + cgroup + '\0');
    }
    ~Played() {
        unlink(path().c_str());
        rmdir(directory.c_str());
    }
    std::string path() const { return directory + "/socket"; }
    void listen() {
        auto made = os::listen_at(path().c_str(), SOCK_SEQPACKET);
        REQUIRE(made);
        listener = *std::move(made);
    }
    void accept() {
        peer = os::UniqueFd(::accept(listener.get(), nullptr, nullptr));
        REQUIRE(peer.valid());
    }
    void tick(std::uint64_t after_ns = 0) {
        now_ns += after_ns;
        enrichment->tick({.now_ns = now_ns, .lag_ns = 0});
    }
    // The question that is open.
    std::optional<Question> question() const {
        Question question;
        const ssize_t got = recv(peer.get(), &question, sizeof question, MSG_DONTWAIT);
        return got == sizeof question ? std::optional(question) : std::nullopt;
    }
    void answer(const Question& question, const std::string& text, int error = 0) {
        Part part{.number = question.number, .last = 1, .error = error};
        std::string record(reinterpret_cast<const char*>(&part), sizeof part);
        record += text;
        REQUIRE(send(peer.get(), record.data(), record.size(), 0) ==
                static_cast<ssize_t>(record.size()));
        tick();
    }
    std::string name() const {
        const state::Container* found = containers.find(kShown);
        return found != nullptr ? found->name : "";
    }
};

std::string inspection(const std::string& name) {
    return "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"" + kId + "\",\"Name\":\"/" + name + "\"}";
}

} // namespace

TEST_CASE("a container is asked about, again if its runtime does not know it yet") {
    Played played("docker/" + kId);
    CHECK(played.containers.is_answering());
    played.tick();
    auto asked = played.question();
    REQUIRE(asked);
    CHECK(asked->runtime == Runtime::docker);
    CHECK(asked->subject == Subject::container);
    CHECK(std::string(asked->id, sizeof asked->id) == kId);
    played.answer(*asked, "HTTP/1.0 404 Not Found\r\n\r\n{}");
    CHECK_FALSE(played.question());
    played.tick(kSecond / 10);
    asked = played.question();
    REQUIRE(asked);
    played.answer(*asked, inspection("web"));
    CHECK(played.name() == "web");
    CHECK(played.containers.open_count() == 0);
}

TEST_CASE("a container of an unknown runtime is asked about everywhere, once as a pod") {
    Played played("kubepods/" + kId);
    played.tick();
    constexpr std::pair<Runtime, Subject> kAsked[] = {{Runtime::containerd, Subject::container},
                                                      {Runtime::containerd, Subject::pod},
                                                      {Runtime::crio, Subject::container},
                                                      {Runtime::crio, Subject::pod},
                                                      {Runtime::docker, Subject::container}};
    for (const auto& [runtime, subject] : kAsked) {
        const auto asked = played.question();
        REQUIRE(asked);
        CHECK(asked->runtime == runtime);
        CHECK(asked->subject == subject);
        if (runtime != Runtime::docker)
            played.answer(*asked, "", ENOENT);
        else
            played.answer(*asked, inspection("web"));
    }
    CHECK(played.name() == "web");
}

TEST_CASE("a container that no runtime knows is given up") {
    Played played("docker/" + kId);
    played.tick();
    unsigned asked = 0;
    for (auto question = played.question(); question; question = played.question()) {
        ++asked;
        played.answer(*question, "", EACCES);
        played.tick(5 * kSecond);
    }
    CHECK(asked == 9);
    CHECK(played.containers.counters().unanswered == 1);
    CHECK(played.containers.open_count() == 0);
}

TEST_CASE("an enricher that ends is connected again, and asked what it did not answer") {
    Played played("docker/" + kId);
    played.tick();
    REQUIRE(played.question());
    played.peer.reset();
    unlink(played.path().c_str());
    played.tick();
    CHECK_FALSE(played.containers.is_answering());
    played.listen();
    for (int i = 0; i < 50 && !played.containers.is_answering(); ++i) {
        usleep(20'000); // the connector is a process of its own
        played.tick(kSecond);
    }
    REQUIRE(played.containers.is_answering());
    played.accept();
    played.tick();
    const auto asked = played.question();
    REQUIRE(asked);
    played.answer(*asked, inspection("web"));
    CHECK(played.name() == "web");
}
