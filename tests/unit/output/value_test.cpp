// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <nlohmann/json.hpp>

#include "analyzer/output/value_json.h"
#include "tests/unit/output/make_event.h"

using namespace tiercel;
using test::raw;
using test::text;

namespace {

nlohmann::json render(const output::Param& param) {
    output::Buffer out;
    output::append_json_value(out, param);
    return nlohmann::json::parse(fmt::to_string(out));
}

// Parameter `name` of an event of `code` whose other parameters have no value.
nlohmann::json render(std::uint16_t code, std::string_view name, const std::string& value) {
    const event::EventInfo* info = event::find(code);
    REQUIRE(info != nullptr);
    const int index = info->find_param(name);
    REQUIRE(index >= 0);
    test::Values values(info->params.size());
    values[static_cast<std::size_t>(index)] = value;
    const auto bytes = test::make_event(code, values);
    const auto view = event::EventView::parse(bytes);
    REQUIRE(view.has_value());
    return render(output::decode(*view, static_cast<std::uint32_t>(index)));
}

std::string ipv4(std::uint32_t address, std::uint16_t port) {
    return raw(htonl(address)) + raw(port);
}

} // namespace

TEST_CASE("numbers are numbers, with their sign") {
    CHECK(render(event::SYSCALL_CLOSE_X, "res", raw(std::int64_t{-2})) == -2);
    CHECK(render(event::SYSCALL_CLOSE_X, "fd", raw(std::int64_t{7})) == 7);
    CHECK(render(event::SYSCALL_OPEN_X, "dev", raw(std::uint32_t{0x801})) == 0x801);
    CHECK(render(event::SYSCALL_OPEN_X, "mode", raw(std::uint32_t{0644})) == 0644);
    CHECK(render(event::SYSCALL_OPEN_X, "ino", raw(UINT64_MAX)) == UINT64_MAX);
}

TEST_CASE("flags are listed by name; a name that takes several bits goes before its parts") {
    const auto json = render(event::SYSCALL_OPEN_X, "flags", raw(std::uint32_t{3 | 4 | 4096}));
    CHECK(json["value"] == 4103);
    CHECK(json["names"] == nlohmann::json({"O_CREAT", "O_RDWR", "O_CLOEXEC"}));
    CHECK(render(event::SYSCALL_OPEN_X, "flags", raw(std::uint32_t{0}))["names"] ==
          nlohmann::json({"O_NONE"}));
    CHECK(render(event::SYSCALL_OPEN_X, "flags", raw(std::uint32_t{1U << 31}))["names"].empty());
}

TEST_CASE("enumerations take the one name whose value is equal") {
    CHECK(render(event::SYSCALL_LSEEK_X, "whence", raw(std::uint8_t{2})) ==
          nlohmann::json{{"value", 2}, {"name", "SEEK_END"}});
    CHECK(render(event::SYSCALL_LSEEK_X, "whence", raw(std::uint8_t{99})) ==
          nlohmann::json{{"value", 99}});
}

TEST_CASE("no value and a value of an impossible width are both no value") {
    CHECK(render(event::SYSCALL_OPEN_X, "flags", "").is_null());
    CHECK(render(event::SYSCALL_OPEN_X, "flags", "abc").is_null());
}

TEST_CASE("text ends at its NUL; bytes do not, and are base64 where they are no text") {
    CHECK(render(event::SYSCALL_OPEN_X, "name", text("/tmp/\x1b[31m")) == "/tmp/\x1b[31m");
    CHECK(render(event::SYSCALL_OPEN_X, "name", text("")) == "");
    CHECK(render(event::SYSCALL_READ_X, "data", std::string("a\0b", 3))["base64"] == "YQBi");
    CHECK(render(event::SYSCALL_READ_X, "data", "plain\n") == "plain\n");
    CHECK(render(event::SYSCALL_READ_X, "data", "\xff")["base64"] == "/w==");
}

TEST_CASE("addresses have their parts") {
    const std::string tuple = "\x02" + ipv4(0x0a000001, 4242) + ipv4(0x0a000002, 80);
    CHECK(render(event::SOCKET_ACCEPT_5_X, "tuple", tuple) ==
          nlohmann::json::parse(R"({"family":"ipv4","source":{"ip":"10.0.0.1","port":4242},
                                    "destination":{"ip":"10.0.0.2","port":80}})"));
    const std::string v6 = "\x0a" + std::string(15, '\0') + "\x01" + raw(std::uint16_t{443});
    CHECK(render(event::SOCKET_BIND_X, "addr", v6) ==
          nlohmann::json{{"family", "ipv6"}, {"ip", "::1"}, {"port", 443}});
    CHECK(render(event::SOCKET_BIND_X, "addr", "\x01" + text("/run/x")) ==
          nlohmann::json{{"family", "unix"}, {"path", "/run/x"}});
}

TEST_CASE("addresses that are cut short are not read beyond their end") {
    const std::string whole = "\x02" + ipv4(0x0a000001, 4242) + ipv4(0x0a000002, 80);
    for (std::size_t length = 1; length < whole.size(); ++length)
        CHECK(
            render(event::SOCKET_ACCEPT_5_X, "tuple", whole.substr(0, length)).contains("base64"));
    CHECK(render(event::SOCKET_ACCEPT_5_X, "tuple", "\x01short").contains("base64"));
}

TEST_CASE("fd lists take whole entries only") {
    const std::string entry = raw(std::int64_t{5}) + raw(std::int16_t{0x11});
    const std::string list = raw(std::uint16_t{2}) + entry + entry;
    const nlohmann::json one{{"fd", 5}, {"events", 0x11}};
    CHECK(render(event::SYSCALL_POLL_X, "fds", list) == nlohmann::json::array({one, one}));
    CHECK(render(event::SYSCALL_POLL_X, "fds", list.substr(0, list.size() - 1)) ==
          nlohmann::json::array({one}));
    CHECK(render(event::SYSCALL_POLL_X, "fds", raw(std::uint16_t{1000})) ==
          nlohmann::json::array());
}

TEST_CASE("every parameter of every event renders, whatever its bytes") {
    std::uint64_t random = 99;
    for (const event::EventInfo& info : event::events()) {
        if ((info.flags & event::LARGE_PAYLOAD) != 0)
            continue;
        for (int round = 0; round < 20; ++round) {
            test::Values values;
            for (const event::ParamInfo& param : info.params) {
                random = random * 6364136223846793005ULL + 1442695040888963407ULL;
                const std::size_t width = event::width(param.type);
                std::string value(width != 0 && random % 8 != 0 ? width : (random >> 40) % 40,
                                  '\0');
                for (char& byte : value) {
                    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
                    byte = static_cast<char>(random >> 56);
                }
                values.push_back(value);
            }
            const auto bytes = test::make_event(info.code, values);
            const auto view = event::EventView::parse(bytes);
            REQUIRE(view.has_value());
            for (std::uint32_t i = 0; i < info.params.size(); ++i)
                REQUIRE_NOTHROW(render(output::decode(*view, i))); // parses the JSON
        }
    }
}
