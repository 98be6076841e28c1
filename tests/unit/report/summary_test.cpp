// SPDX-License-Identifier: Apache-2.0
//
// What a summary gathers from events: rows, their numbers, and what is left out.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "analyzer/report/json.h"
#include "analyzer/report/selection.h"
#include "analyzer/report/summary.h"
#include "analyzer/report/text.h"
#include "tests/unit/report/incident.h"

using namespace tiercel;
using test::Actor;
using test::EventBuilder;

namespace {

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
constexpr std::uint32_t kWrite = event::flags::file_flags::kO_WRONLY;
const Actor kShell{.pid = 10, .parent = 1, .name = "bash"};
const Actor kCurl{.pid = 20, .parent = 10, .name = "curl", .uid = 33};

// A summary behind a pipeline.
struct Gathered {
    filter::Fields fields;
    report::Summary summary;
    app::Pipeline pipeline{fields};
    std::vector<std::string> steps;

    explicit Gathered(report::Scope scope = {}) : summary(fields, nullptr, std::move(scope)) {
        pipeline.on_event([this](const app::Pipeline::Event& event) { summary.take(event); });
        summary.on_step([this](const report::Step& step) {
            output::Buffer line;
            report::append_step(line, summary, step, {.json = true});
            steps.push_back(fmt::to_string(line));
        });
    }
    void take(EventBuilder event) { pipeline.take(event.view(), 0); }
    void take_all() {
        std::uint64_t ts = kStart;
        take(kShell.start(ts));
        take(kShell.exec(ts += 1000, "-l"));
        take(kCurl.start(ts += 1000));
        take(kCurl.exec(ts += 1000, "-o x"));
        take(kCurl.open(ts += 1000, 5, "down/../x", kWrite));
        take(kCurl.write(ts += 1000, 5, "12345"));
        take(kCurl.open(ts += 1000, -13, "/etc/shadow"));
        take(kCurl.socket(ts += 1000, 3, 2));
        take(kCurl.connect(ts += 1000, 3, 53, 53));
        take(kCurl.read(ts += 1000, 3, test::dns_answer("web.example", 80)));
        take(kCurl.socket(ts += 1000, 4));
        take(kCurl.connect(ts += 1000, 4, 80, 443));
        take(kCurl.write(ts += 1000, 4, "GET"));
        take(kCurl.read(ts += 1000, 4, "200 OK"));
        take(kShell.unlink(ts += 1000, "/tmp/trace"));
        take(kCurl.end(ts += 1000, 2 << 8));
    }
    const report::FileRow* file(std::string_view path) const {
        for (const report::FileRow& row : summary.files().rows())
            if (row.path == path)
                return &row;
        return nullptr;
    }
    nlohmann::json page() const {
        output::Buffer out;
        report::append_json(out, summary, {.capture = "a.scap", .hostname = "host", .notes = {}});
        return nlohmann::json::parse(fmt::to_string(out));
    }
};

} // namespace

TEST_CASE("processes have their parents, commands, users and ends") {
    Gathered gathered;
    gathered.take_all();
    const auto& rows = gathered.summary.processes();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].command == "bash -l");
    CHECK(rows[1].parent == 0);
    CHECK(rows[1].command == "curl -o x");
    CHECK(rows[1].first_command == "sh -c");
    CHECK(rows[1].exe == "/usr/bin/curl");
    CHECK(report::end_of(rows[1]) == "exit 2");
    CHECK(report::end_of(rows[0]).empty());
    CHECK(gathered.summary.users()[rows[1].last_user].uid == 33);
    CHECK(rows[1].events == 13);
}

TEST_CASE("a pid that is used again is another process") {
    Gathered gathered;
    gathered.take(kCurl.start(kStart));
    gathered.take(kCurl.end(kStart + 1, 9));
    gathered.take(kCurl.start(kStart + 2));
    REQUIRE(gathered.summary.processes().size() == 2);
    CHECK(report::end_of(gathered.summary.processes()[0]) == "killed by SIGKILL");
    CHECK(gathered.summary.processes()[1].ended_ns == 0);
}

TEST_CASE("files have whole and given paths, bytes, changes and failures") {
    Gathered gathered;
    gathered.take_all();
    const report::FileRow* written = gathered.file("/home/me/x");
    REQUIRE(written != nullptr);
    CHECK(written->given == "down/../x");
    CHECK(written->writes == 1);
    CHECK(written->bytes_written == 5);
    const report::FileRow* refused = gathered.file("/etc/shadow");
    REQUIRE(refused != nullptr);
    CHECK(refused->failed == 1);
    CHECK(refused->reads == 0);
    const report::FileRow* deleted = gathered.file("/tmp/trace");
    REQUIRE(deleted != nullptr);
    CHECK(report::words_of_changes(deleted->changes) == "deleted");
    const report::FileRow* program = gathered.file("/usr/bin/curl");
    REQUIRE(program != nullptr);
    CHECK(report::words_of_changes(program->changes) == "executed");
}

TEST_CASE("connections have peers, bytes, and the name that DNS gave before") {
    Gathered gathered;
    gathered.take_all();
    const auto& rows = gathered.summary.connections().rows();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].peer == "192.0.2.53:53");
    CHECK(rows[1].peer == "192.0.2.80:443");
    CHECK(rows[1].local == "10.0.0.2:40000");
    CHECK(rows[1].name == "web.example");
    CHECK(rows[1].protocol == "tcp");
    CHECK(rows[1].bytes_out == 3);
    CHECK(rows[1].bytes_in == 6);
    CHECK_FALSE(rows[1].is_incoming);
}

TEST_CASE("steps come once for each process, file and connection") {
    Gathered gathered;
    gathered.take_all();
    std::vector<std::string> words;
    for (const std::string& line : gathered.steps) {
        const auto json = nlohmann::json::parse(line);
        words.push_back(json["step"].get<std::string>() + ' ' + json["what"].get<std::string>());
    }
    CHECK(words == std::vector<std::string>{"starts sh -c", "runs bash -l", "starts sh -c",
                                            "runs curl -o x", "writes /home/me/x",
                                            "connects 192.0.2.53:53", "connects 192.0.2.80:443",
                                            "changes /tmp/trace (deleted)", "ends exit 2"});
}

TEST_CASE("a scope leaves out other users, and events before its time") {
    Gathered of_curl({.container = "", .user = "33"});
    of_curl.take_all();
    CHECK(of_curl.summary.events() == 13);
    Gathered late;
    late.summary.set_since(kStart + 15'000);
    late.take_all();
    CHECK(late.summary.events() == 1);
    Gathered of_container({.container = "web", .user = ""});
    of_container.take_all();
    CHECK(of_container.summary.events() == 0);
}

TEST_CASE("long texts are cut between characters, and counted") {
    CHECK(report::cut("a\xc3\xa9", 2) == "a");
    CHECK(report::cut("abc", 3) == "abc");
    Gathered gathered;
    gathered.take(kCurl.start(kStart));
    gathered.take(kCurl.open(kStart + 1, 3, "/" + std::string(3999, 'x')));
    REQUIRE(gathered.summary.files().rows().size() == 1);
    CHECK(gathered.summary.files()[0].path.ends_with("… (4000 bytes)"));
    CHECK(gathered.summary.cut_texts() >= 1);
}

TEST_CASE("the JSON holds no '<', and names every column") {
    Gathered gathered;
    gathered.take(kCurl.start(kStart));
    gathered.take(kCurl.open(kStart + 1, 3, "/tmp/</script>\xe2\x80\xae", kWrite));
    output::Buffer out;
    report::append_json(out, gathered.summary, {.capture = "<a>", .hostname = "<b>", .notes = {}});
    const std::string text = fmt::to_string(out);
    CHECK(text.find('<') == std::string::npos);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["files"][0][0] == "/tmp/</script>\\u202e");
    CHECK(json["files"][0].size() == 14);
    CHECK(json["processes"][0].size() == 19);
    CHECK(json["lines"].size() == 2);
}

TEST_CASE("a page is bounded, and says what it leaves out") {
    Gathered gathered;
    gathered.take(kCurl.start(kStart));
    for (int i = 0; i < 40'000; ++i)
        gathered.take(
            kCurl.open(kStart + 1, 3, "/data/" + std::to_string(i) + std::string(90, 'x')));
    output::Buffer out;
    report::append_json(out, gathered.summary, {.capture = "a", .hostname = "", .notes = {}});
    CHECK(out.size() < 4'900'000);
    const auto json = nlohmann::json::parse(fmt::to_string(out));
    CHECK(json["files"].size() > 3000);
    CHECK(json["notes"].dump().find("files of the least importance are left out") !=
          std::string::npos);
}

TEST_CASE("the tree fits 80 columns, with children below their parents") {
    Gathered gathered;
    gathered.take_all();
    output::Buffer out;
    report::append_tree(out, gathered.summary, {});
    CHECK(fmt::to_string(out) == "bash 10 1000  bash -l\n└─curl 20 33 exit 2  curl -o x\n");
    Gathered deep;
    for (std::int64_t pid = 2; pid < 300; ++pid)
        deep.take(Actor{.pid = pid, .parent = pid - 1, .name = "x"}.start(kStart));
    output::Buffer lines;
    report::append_tree(lines, deep.summary, {});
    std::size_t columns = 0;
    for (const char c : std::string_view(lines.data(), lines.size())) {
        columns =
            c == '\n' ? 0 : columns + ((static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0 : 1);
        REQUIRE(columns <= 80);
    }
}
