// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "analyzer/service/helper_process.h"

using namespace tiercel;
using app::HelperProcess;

namespace {

// The messages that come within two seconds, until there are `count`.
std::vector<std::string> messages(HelperProcess& helper, std::size_t count) {
    std::vector<std::string> came;
    for (int turn = 0; turn < 20 && came.size() < count; ++turn) {
        pollfd waiting{.fd = helper.socket().get(), .events = POLLIN, .revents = 0};
        poll(&waiting, 1, 100);
        if (!helper.read([&came](std::string message) { came.push_back(std::move(message)); }))
            break;
    }
    return came;
}

std::string open_descriptors() {
    std::string list;
    DIR* directory = opendir("/proc/self/fd");
    while (const dirent* entry = readdir(directory))
        if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != dirfd(directory))
            list += std::string(entry->d_name) + ' ';
    closedir(directory);
    return list;
}

} // namespace

TEST_CASE("a request is answered, whatever the answer's length") {
    auto helper = HelperProcess::start(
        {.name = "test",
         .answer = [](std::string_view request) { return std::string(100'000, request[0]); },
         .look = [] { return std::string(); }});
    REQUIRE(helper);
    CHECK(helper->ask("a"));
    CHECK(helper->ask("b"));
    const auto came = messages(*helper, 2);
    REQUIRE(came.size() == 2);
    CHECK(came[0] == std::string(100'000, 'a'));
    CHECK(came[1] == std::string(100'000, 'b'));
}

TEST_CASE("news come without a request") {
    auto helper =
        HelperProcess::start({.name = "test",
                              .answer = [](std::string_view) { return std::string(); },
                              .look = [n = 0]() mutable { return "news " + std::to_string(++n); }});
    REQUIRE(helper);
    CHECK(messages(*helper, 2) == std::vector<std::string>{"news 1", "news 2"});
}

TEST_CASE("the helper has standard error and its socket, and nothing that was inherited") {
    const int inherited = open("/dev/null", O_RDONLY);
    auto helper =
        HelperProcess::start({.name = "test",
                              .answer = [](std::string_view) { return open_descriptors(); },
                              .look = [] { return std::string(); }});
    REQUIRE(helper);
    CHECK(helper->ask("descriptors"));
    const auto came = messages(*helper, 1);
    REQUIRE(came.size() == 1);
    CHECK(std::count(came[0].begin(), came[0].end(), ' ') == 2);
    CHECK(came[0].starts_with("2 "));
    close(inherited);
}
