// SPDX-License-Identifier: Apache-2.0
//
// Answers of runtimes, and answers that an attacker might forge. The whole way, with real servers,
// is tests/container/enricher_test.
#include <doctest/doctest.h>

#include <string>

#include "analyzer/enrich/answer.h"

using namespace tiercel;
using namespace std::literals;

namespace {

std::string frame(char kind, char flags, char stream, const std::string& load) {
    const auto length = static_cast<unsigned>(load.size());
    const auto byte = [length](unsigned shift) { return static_cast<char>(length >> shift); };
    return std::string{byte(16), byte(8), byte(0), kind, flags, 0, 0, 0, stream} + load;
}

// Short ones only: one byte says how long.
std::string field(int number, const std::string& value) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(value.size())} + value;
}

std::string message(const std::string& body) {
    return std::string{0, 0, 0, 0, static_cast<char>(body.size())} + body;
}

const std::string kSettings = frame(4, 0, 0, "");
const std::string kStatus =
    message(field(1, field(1, "id") + field(2, field(1, "cart")) + field(8, field(1, "a/b:1")) +
                         field(12, field(1, "io.kubernetes.pod.name") + field(2, "pod"))));

std::string http(const std::string& body) {
    return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body;
}

} // namespace

TEST_CASE("images by their parts") {
    const struct {
        std::string_view name, repository, tag, digest;
    } cases[] = {{"nginx", "nginx", "", ""},
                 {"nginx:1.25", "nginx", "1.25", ""},
                 {"registry:5000/a/b", "registry:5000/a/b", "", ""},
                 {"registry:5000/a/b:c@sha256:0", "registry:5000/a/b", "c", "sha256:0"},
                 {"a@sha256:0", "a", "", "sha256:0"},
                 {"", "", "", ""},
                 {":@", "", "", ""}};
    for (const auto& [name, repository, tag, digest] : cases) {
        CAPTURE(name);
        state::Container container;
        enrich::split_image(name, container);
        CHECK(container.image == name);
        CHECK(container.repository == repository);
        CHECK(container.tag == tag);
        CHECK(container.digest == digest);
    }
}

TEST_CASE("an inspection's values may be missing or of another kind") {
    const auto container = enrich::read_inspection(http(
        R"({"Id":"x","Name":7,"Config":[],"HostConfig":{"Privileged":"yes"},"Mounts":[1,{}]})"));
    REQUIRE(container);
    CHECK(container->id == "x");
    CHECK(container->name.empty());
    CHECK_FALSE(container->privileged);
    CHECK(container->mounts.size() == 1);
    for (const std::string& bad :
         {""s, "HTTP/1.0"s, "HTTP/1.0 404 Not Found\r\n\r\n{}"s, "HTTP/1.0 200 OK\r\n"s, http(""),
          http("{"), http("[]"), http("\"x\""), http("{}"), http(R"({"Id":1})"),
          http("{\"Id\":\"\xff\"}"), http(std::string(200000, '['))}) {
        CAPTURE(bad.substr(0, 60));
        CHECK_FALSE(enrich::read_inspection(bad));
    }
}

TEST_CASE("what is too much is cut") {
    std::string labels;
    for (int i = 0; i < 1000; ++i)
        labels +=
            (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::string(2000, 'v') + '"';
    const auto container =
        enrich::read_inspection(http(R"({"Id":"x","Config":{"Labels":{)" + labels + "}}}"));
    REQUIRE(container);
    CHECK(container->labels.size() == enrich::kMostEntries);
    CHECK(container->labels[0].second.size() == enrich::kMostText);
}

TEST_CASE("a call's answer, in one frame or several, with padding") {
    for (const std::string& frames :
         {kSettings + frame(1, 4, 1, "h") + frame(0, 0, 1, kStatus),
          kSettings + frame(0, 0, 1, kStatus.substr(0, 9)) + frame(0, 1, 1, kStatus.substr(9)),
          frame(0, 9, 1, "\x03"s + kStatus + "\0\0\0"s)}) {
        const auto call = enrich::read_call(frames);
        CHECK(call.over);
        REQUIRE(call.container);
        CHECK(call.container->id == "id");
        CHECK(call.container->name == "cart");
        CHECK(call.container->repository == "a/b");
        CHECK(call.container->pod_name == "pod");
        for (std::size_t cut = 0; cut < frames.size(); ++cut)
            (void)enrich::read_call(
                frames.substr(0, cut)); // a cut answer must not crash the reader
    }
}

TEST_CASE("a call's answer that says nothing") {
    CHECK_FALSE(enrich::read_call("").over);
    CHECK_FALSE(enrich::read_call(kSettings).over);
    CHECK_FALSE(enrich::read_call(frame(0, 0, 3, kStatus)).over); // of another stream
    for (const std::string& frames :
         {frame(1, 5, 1, "trailers"), frame(3, 0, 1, "\0\0\0\0"s), frame(7, 0, 0, ""),
          frame(0, 1, 1, "\1"s + kStatus.substr(1)), frame(0, 1, 1, kStatus.substr(0, 20)),
          frame(0, 9, 1, ""), frame(0, 9, 1, "\xff"s), frame(0, 1, 1, message(""))}) {
        const auto call = enrich::read_call(frames);
        CHECK(call.over);
        CHECK_FALSE(call.container);
    }
    // Lengths that lie, and what is no field at all.
    for (const std::string& body : {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                    "\x0a\x7f"s, "\x0f"s, "\x0a\x02\x0a\x7f"s}) {
        const auto call = enrich::read_call(frame(0, 1, 1, message(body)));
        CHECK(call.over);
        if (call.container)
            CHECK(call.container->id.empty());
    }
}

TEST_CASE("the runtime's own account names the pod and the privileges") {
    const auto call = [](const std::string& info) {
        return enrich::read_call(frame(0, 1, 1,
                                       message(field(1, field(1, "id")) +
                                               field(2, field(1, "info") + field(2, info)))))
            .container;
    };
    const auto containerd = call(
        R"({"sandboxID":"p","config":{"linux":{"security_context":{"namespace_options":{"pid":2}}}}})");
    REQUIRE(containerd);
    CHECK(containerd->sandbox_id == "p");
    CHECK(containerd->privileged == false); // JSON leaves it out
    CHECK(containerd->host_pid == true);
    CHECK(containerd->host_network == false);
    const auto crio = call(R"({"sandboxID":"q","privileged":true})");
    REQUIRE(crio);
    CHECK(crio->sandbox_id == "q");
    CHECK(crio->privileged == true);
    CHECK_FALSE(crio->host_pid);
    for (const char* bad : {"", "[]", "{", R"({"sandboxID":7,"privileged":"yes","config":[]})"}) {
        CAPTURE(bad);
        const auto container = call(bad);
        REQUIRE(container);
        CHECK(container->sandbox_id.empty());
        CHECK_FALSE(container->privileged);
    }
}

TEST_CASE("a pod has its own labels and address") {
    const std::string status =
        field(1, "p") + field(2, field(1, "web") + field(2, "uid") + field(3, "shop")) +
        field(5, field(1, "10.0.0.7")) + field(7, field(1, "app") + field(2, "x"));
    auto answer = enrich::read_pod(frame(0, 1, 1, message(field(1, status))));
    CHECK(answer.over);
    REQUIRE(answer.container);
    CHECK(answer.container->name == "web");
    state::Container container;
    enrich::take_pod(*std::move(answer.container), container);
    CHECK(container.pod_name == "web");
    CHECK(container.pod_namespace == "shop");
    CHECK(container.pod_ip == "10.0.0.7");
    CHECK(container.pod_labels == decltype(container.pod_labels){{"app", "x"}});
}
