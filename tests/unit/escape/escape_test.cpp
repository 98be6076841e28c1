// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "shared/escape/escape.h"

using namespace tiercel;
using namespace std::string_view_literals;

namespace {

std::string shown(std::string_view text) {
    escape::Buffer out;
    escape::append_text(out, text);
    return fmt::to_string(out);
}
std::string json(std::string_view text) {
    escape::Buffer out;
    escape::append_json(out, text);
    return fmt::to_string(out);
}
std::string base64(std::string_view text) {
    escape::Buffer out;
    escape::append_base64(out, std::as_bytes(std::span(text)));
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
    CHECK(shown("a\nb\tc\rd") == "a\\x0ab\\x09c\\x0dd");
    CHECK(shown("\x7f\0x"sv) == "\\x7f\\x00x");
    CHECK(shown("\xc2\x9b[2J") == "\\u009b[2J");             // C1 CSI
    CHECK(shown("\xe2\x80\xaegpj.exe") == "\\u202egpj.exe"); // right-to-left override
    CHECK(shown("\xe2\x81\xa6x") == "\\u2066x");             // isolate
    CHECK(shown("\xc2\x85") == "\\u0085");                   // next line
    CHECK(shown("\xe2\x80\xa8\xef\xbb\xbf") == "\\u2028\\ufeff");
}

TEST_CASE("characters that are not seen are shown") {
    CHECK(shown("shad\xc2\xadow") == "shad\\u00adow");            // soft hyphen
    CHECK(shown("a\xf3\xa0\x81\x81") == "a\\U000e0041");          // tag letter
    CHECK(shown("\xe3\x85\xa4\xe1\xa0\x8e") == "\\u3164\\u180e"); // Hangul filler
    CHECK(shown("\\U000e0041") == "\\x5cU000e0041");
    CHECK(shown("\xf0\x9f\xa6\x85 \xef\xbf\xbd") == "\xf0\x9f\xa6\x85 \xef\xbf\xbd");
    CHECK(nlohmann::json::parse(json("a\xf3\xa0\x81\x81")).get<std::string>() ==
          "a\xf3\xa0\x81\x81");
    CHECK(json("a\xf3\xa0\x81\x81") == "\"a\\udb40\\udc41\"");
}

TEST_CASE("std::string and the output's buffer get the same") {
    std::string text, made;
    escape::append_text(text, "\x1b\\x41\xff");
    CHECK(text == shown("\x1b\\x41\xff"));
    escape::append_json(made, "\x1b\\x41\xff\"");
    CHECK(made == json("\x1b\\x41\xff\""));
}

TEST_CASE("a text that is cut ends with a whole character or escape") {
    CHECK(escape::as_text("abc", 3) == "abc");
    CHECK(escape::as_text("abc", 2) == "ab");
    for (std::size_t most = 1; most < 5; ++most)
        CHECK(escape::as_text("a\x1b", most) == "a");
    CHECK(escape::as_text("a\x1b", 5) == "a\\x1b");
    CHECK(escape::as_text("a\xc3\xb6\xc3\xb6", 4) == "a\xc3\xb6");
    CHECK(escape::as_text("a\\b", 2) == "a\\");
    CHECK(escape::as_text("\xe2\x80\xae", 5).empty());
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
        REQUIRE(escape::is_utf8(out));
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

TEST_CASE("quotes and backslashes get no backslash in text, unless they read as an escape") {
    CHECK(shown("say \"\\n\"") == "say \"\\n\"");
    CHECK(shown("\\x1b") == "\\x5cx1b");
    CHECK(shown("\\u202e") == "\\x5cu202e");
    CHECK(shown("\\xyz \\u12") == "\\xyz \\u12");
}

TEST_CASE("different bytes are different texts") {
    std::set<std::string> texts, jsons;
    const std::string_view names[] = {"shadow"sv,        "shad\x01ow"sv, "shadow\x7f"sv,
                                      "sh\nadow"sv,      "shadow\xff"sv, "shadow\\xff"sv,
                                      "shadow\xc3\xbf"sv};
    for (const std::string_view name : names) {
        texts.insert(shown(name));
        jsons.insert(json(name));
    }
    CHECK(texts.size() == std::size(names));
    CHECK(jsons.size() == std::size(names));
}

TEST_CASE("in JSON each byte that is no UTF-8 is an escape within the text") {
    CHECK(nlohmann::json::parse(json("a\xff\x62")).get<std::string>() == "a\\xffb");
    CHECK(nlohmann::json::parse(json("\\xff")).get<std::string>() == "\\x5cxff");
    for (unsigned value = 0; value < 0x10000; ++value) {
        const char bytes[] = {static_cast<char>(value >> 8), static_cast<char>(value)};
        REQUIRE(nlohmann::json::accept(json({bytes, 2}))); // it refuses invalid UTF-8
    }
}

TEST_CASE("JSON that another library made is escaped as ours") {
    for (const std::string_view text : {"\xc2\x9b\xe2\x80\xae\xff\\x41 \"q\" \n"sv, "plain"sv}) {
        escape::Buffer out;
        escape::append_made_json(out, nlohmann::json(escape::as_utf8(text)).dump());
        CHECK(fmt::to_string(out) == json(text));
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
