// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/escape.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>

using namespace tiercel;
using namespace std::string_view_literals;

namespace {

std::string shown(std::string_view text) {
    output::Buffer out;
    output::append_text(out, text);
    return fmt::to_string(out);
}
std::string json(std::string_view text) {
    output::Buffer out;
    output::append_json(out, text);
    return fmt::to_string(out);
}
std::string base64(std::string_view text) {
    output::Buffer out;
    output::append_base64(out, std::as_bytes(std::span(text)));
    return fmt::to_string(out);
}

} // namespace

TEST_CASE("text that is harmless stays as it is") {
    CHECK(shown("/etc/passwd") == "/etc/passwd");
    CHECK(shown("a \"quoted\" b") == "a \"quoted\" b");
    CHECK(shown("größe 文件 🦅") == "größe 文件 🦅");
    CHECK(shown("").empty());
}

TEST_CASE("text cannot steer a terminal or end a line") {
    CHECK(shown("\x1b[2J\x1b]0;owned\a") == "\\x1b[2J\\x1b]0;owned\\x07");
    CHECK(shown("a\nb\tc\rd\\e") == "a\\nb\\tc\\rd\\\\e");
    CHECK(shown("\x7f\0x"sv) == "\\x7f\\x00x");
    CHECK(shown("\xc2\x9b[2J") == "\\xc2\\x9b[2J");                  // C1 CSI
    CHECK(shown("\xe2\x80\xaegpj.exe") == "\\xe2\\x80\\xaegpj.exe"); // right-to-left override
    CHECK(shown("\xe2\x81\xa6x") == "\\xe2\\x81\\xa6x");             // isolate
}

TEST_CASE("bytes that are no UTF-8 are shown one by one") {
    CHECK(shown("\x9b[2J") == "\\x9b[2J");
    CHECK(shown("\xff\xc0\xaf") == "\\xff\\xc0\\xaf");          // never, overlong '/'
    CHECK(shown("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // surrogate
    CHECK(shown("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // above U+10FFFF
    CHECK(shown("\xe2\x82") == "\\xe2\\x82");                   // cut short
}

TEST_CASE("no input of one to three bytes leaves a byte below space, DEL or C1 in the output") {
    for (unsigned value = 0; value < 0x10000; ++value) {
        const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value), 'x'};
        const std::string out = shown({bytes, 3});
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto byte = static_cast<unsigned char>(out[i]);
            REQUIRE(byte >= 0x20);
            REQUIRE(byte != 0x7f);
            if (byte == 0xc2)
                REQUIRE(static_cast<unsigned char>(out[i + 1]) >= 0xa0);
        }
        REQUIRE(output::is_utf8(out));
    }
}

TEST_CASE("JSON strings are what a parser reads back") {
    for (const std::string_view text : {"plain"sv, "q\"b\\s/"sv, "\n\t\r\b\f\x1b\x7f\0e"sv,
                                        "größe 🦅"sv, "\xc2\x9b"sv, "\xe2\x80\xae"sv}) {
        const std::string out = json(text);
        CHECK(nlohmann::json::parse(out).get<std::string>() == text);
        CHECK(out.find('\x1b') == std::string::npos);
        CHECK(out.find("\xc2\x9b") == std::string::npos);
    }
}

TEST_CASE("in JSON each byte that is no UTF-8 becomes the replacement character") {
    CHECK(json("a\xff\xfe\x62") == "\"a\xef\xbf\xbd\xef\xbf\xbd\x62\"");
    CHECK(nlohmann::json::parse(json("\xe2\x82")).get<std::string>() == "\xef\xbf\xbd\xef\xbf\xbd");
    for (unsigned value = 0; value < 0x10000; ++value) {
        const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
        REQUIRE(nlohmann::json::accept(json({bytes, 2}))); // it refuses invalid UTF-8
    }
}

TEST_CASE("base64 is RFC 4648's") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xff\xfe\x00"sv) == "//4A");
}

TEST_CASE("text that has escapes already keeps them, and is as harmless") {
    output::Buffer out;
    output::append_line(out, "a\\\"b\n\x1b[m\xc2\x9b\x9b");
    CHECK(fmt::to_string(out) == "a\\\"b\\n\\x1b[m\\xc2\\x9b\\x9b");
}
