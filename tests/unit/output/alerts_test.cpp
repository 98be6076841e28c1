// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analyzer/output/alerts/dispatcher.h"
#include "analyzer/output/alerts/outputs.h"
#include "analyzer/output/alerts/sinks/journal.h"
#include "analyzer/output/alerts/token_bucket.h"

using namespace tiercel::alerts;
using tiercel::config::Priority;

namespace {

Alert sample() {
    Alert alert;
    alert.time_ns = 1508512252222264351;
    alert.rule = "A \"rule\"";
    alert.priority = Priority::informational;
    alert.tags = {"a", "b"};
    alert.message = "something happened | file=/x";
    alert.fields = {
        {"fd.name", std::string("/x")},       {"proc.pid", std::int64_t{-1}},
        {"proc.tty", std::uint64_t{34816}},   {"evt.failed", true},
        {"container.name", std::monostate()}, {"fd.types", std::vector<std::string>{"file"}}};
    return alert;
}

struct Directory {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("tiercel-alerts-" + std::to_string(getpid()));
    Directory() { std::filesystem::create_directories(path); }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
};

std::string content(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

using tiercel::config::Output;
using tiercel::config::Settings;

// The settings of one output.
Settings to(Output output, const std::string& target) {
    Settings settings;
    settings.output(output) = {.enabled = true, .target = target};
    return settings;
}

// The settings of a program that is started once and reads all alerts.
Settings kept(const std::string& command) {
    Settings settings = to(Output::program, command);
    settings.program_keep_alive = true;
    return settings;
}

// Lets a test hold back what a sink writes.
struct Valve {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
    std::vector<std::string> lines;
};

class ValveSink : public Sink {
  public:
    explicit ValveSink(std::shared_ptr<Valve> valve) : valve_(std::move(valve)) {}
    std::string name() const override { return "valve"; }
    bool write(const Line& line) override {
        std::unique_lock lock(valve_->mutex);
        valve_->changed.wait(lock, [this] { return valve_->open; });
        valve_->lines.emplace_back(line.text);
        return true;
    }

  private:
    std::shared_ptr<Valve> valve_;
};

} // namespace

TEST_CASE("text alerts are time, priority and message") {
    Style style;
    style.utc = true;
    CHECK(render(sample(), style) ==
          "15:10:52.222264351: Informational something happened | file=/x");
    style.iso_8601 = true;
    CHECK(render(sample(), style) ==
          "2017-10-20T15:10:52.222264351+0000: Informational something happened | file=/x");
    Alert odd = sample();
    odd.message = "two\nlines\r";
    CHECK(render(odd, style).find_first_of("\r\n") == std::string::npos);
    odd.message = "\xc2\x9b"
                  "2J \xe2\x80\xae"
                  "fdp \x1b[m \xff";
    CHECK(render(odd, style).ends_with(" \\u009b2J \\u202efdp \\x1b[m \\xff"));
}

TEST_CASE("JSON alerts have the keys, types and order that consumers know") {
    Style style;
    style.json = true;
    style.utc = true;
    style.hostname = "box";
    CHECK(
        render(sample(), style) ==
        R"({"hostname":"box","output":"15:10:52.222264351: Informational something happened | file=/x",)"
        R"("output_fields":{"container.name":null,"evt.failed":true,"evt.time":1508512252222264351,)"
        R"("fd.name":"/x","fd.types":["file"],"proc.pid":-1,"proc.tty":34816},)"
        R"("priority":"Informational","rule":"A \"rule\"","source":"syscall","tags":["a","b"],)"
        R"("time":"2017-10-20T15:10:52.222264351Z"})");
    style.include_output = style.include_tags = style.include_fields = false;
    style.include_message = true;
    const auto json = nlohmann::json::parse(render(sample(), style));
    CHECK_FALSE(json.contains("output"));
    CHECK_FALSE(json.contains("tags"));
    CHECK_FALSE(json.contains("output_fields"));
    CHECK(json["message"] == "something happened | file=/x");
}

TEST_CASE("bytes that are no UTF-8 do not break JSON") {
    Style style;
    style.json = true;
    Alert alert = sample();
    alert.message = "\xff\xfe";
    alert.fields = {{"fd.name", std::string("/\xc3(")}};
    CHECK(nlohmann::json::parse(render(alert, style)).is_object());
}

TEST_CASE("a file is appended to, and found again after it was moved") {
    const Directory directory;
    const std::string path = directory / "alerts";
    std::ofstream(path) << "before\n";
    Dispatcher dispatcher(Style(), 10);
    auto sink = open_file(to(Output::file, path));
    REQUIRE(sink);
    dispatcher.add(std::move(*sink));
    dispatcher.send(sample());
    CHECK(dispatcher.drain(std::chrono::seconds(5)));
    CHECK(content(path).starts_with("before\n"));
    CHECK(content(path).ends_with("file=/x\n"));
    std::filesystem::rename(path, path + ".1");
    dispatcher.reopen();
    dispatcher.send(sample());
    CHECK(dispatcher.drain(std::chrono::seconds(5)));
    const std::string fresh = content(path);
    CHECK(std::count(fresh.begin(), fresh.end(), '\n') == 1);
    CHECK_FALSE(open_file(to(Output::file, directory / "no/such")));
}

TEST_CASE("a blocked output discards, counts and tells") {
    auto valve = std::make_shared<Valve>();
    Dispatcher dispatcher(Style(), 3);
    dispatcher.add(std::make_unique<ValveSink>(valve));
    dispatcher.send(sample()); // taken by the thread, which hangs on it
    while (dispatcher.outputs()[0].counters.discarded == 0) {
        const auto before = std::chrono::steady_clock::now();
        dispatcher.send(sample());
        CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
    }
    for (int i = 0; i < 100; ++i)
        dispatcher.send(sample());
    CHECK_FALSE(dispatcher.drain(std::chrono::milliseconds(20)));
    const std::uint64_t discarded = dispatcher.outputs()[0].counters.discarded;
    CHECK(discarded >= 100);
    {
        const std::lock_guard lock(valve->mutex);
        valve->open = true;
        valve->changed.notify_all();
    }
    CHECK(dispatcher.drain(std::chrono::seconds(5)));
    const std::lock_guard lock(valve->mutex);
    const std::string last = valve->lines.back();
    CHECK(last.find("Warning Tiercel internal: alerts discarded. " + std::to_string(discarded)) !=
          std::string::npos);
    CHECK(dispatcher.outputs()[0].counters.written == valve->lines.size());
}

TEST_CASE("one blocked output does not hold up another, nor the end") {
    auto stuck = std::make_shared<Valve>();
    auto free = std::make_shared<Valve>();
    free->open = true;
    {
        Dispatcher dispatcher(Style(), 100);
        dispatcher.add(std::make_unique<ValveSink>(stuck));
        dispatcher.add(std::make_unique<ValveSink>(free));
        for (int i = 0; i < 50; ++i)
            dispatcher.send(sample());
        for (int i = 0; i < 500 && dispatcher.outputs()[1].counters.written < 50; ++i)
            usleep(10'000);
        CHECK(dispatcher.outputs()[1].counters.written == 50);
    }
    const std::lock_guard lock(stuck->mutex); // lets the thread left behind go
    stuck->open = true;
    stuck->changed.notify_all();
}

TEST_CASE("sockets, syslog and programs get their lines") {
    const Directory directory;
    const auto serve = [&](const char* name, int type) {
        const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = directory / name;
        path.copy(address.sun_path, path.size());
        REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        // A line that never comes fails the test: accept() and recv() wait for at most 30 s.
        constexpr timeval kDeadline{30, 0};
        REQUIRE(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kDeadline, sizeof kDeadline) == 0);
        return fd;
    };
    const int log = serve("log", SOCK_DGRAM);
    const int stream = serve("stream", SOCK_STREAM);
    REQUIRE(listen(stream, 1) == 0);
    Dispatcher dispatcher(Style(), 10);
    auto syslog = open_syslog(to(Output::syslog, directory / "log"));
    auto connected = open_unix_socket(to(Output::unix_socket, directory / "stream"));
    auto program = open_program(kept("cat > " + (directory / "copy")));
    REQUIRE(syslog);
    REQUIRE(connected);
    REQUIRE(program);
    dispatcher.add(std::move(*syslog));
    dispatcher.add(std::move(*connected));
    dispatcher.add(std::move(*program));
    dispatcher.send(sample());
    CHECK(dispatcher.drain(std::chrono::seconds(30)));
    char text[512];
    const ssize_t length = recv(log, text, sizeof text, 0);
    REQUIRE(length > 0);
    const std::string datagram(text, static_cast<std::size_t>(length));
    CHECK(datagram.starts_with("<14>"));
    CHECK(datagram.find(" tiercel[" + std::to_string(getpid()) + "]: ") != std::string::npos);
    const int peer = accept4(stream, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(peer >= 0);
    const ssize_t got = read(peer, text, sizeof text);
    REQUIRE(got > 0);
    CHECK(text[got - 1] == '\n');
    for (int i = 0; i < 500 && content(directory / "copy").empty(); ++i)
        usleep(10'000);
    CHECK(content(directory / "copy").ends_with("file=/x\n"));
    close(peer); // a receiver that comes back is connected again, and no signal ends the process
    for (int i = 0; i < 3; ++i)
        dispatcher.send(sample());
    CHECK(dispatcher.drain(std::chrono::seconds(30)));
    CHECK(dispatcher.outputs()[1].counters.failed == 0);
    const int again = accept4(stream, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(again >= 0);
    CHECK(read(again, text, sizeof text) > 0);
    close(again);
    close(stream);
    close(log);
    std::filesystem::remove(directory / "stream");
    dispatcher.send(sample()); // waits until there is a receiver again
    CHECK_FALSE(dispatcher.drain(std::chrono::milliseconds(200)));
    CHECK(dispatcher.outputs()[1].counters.failing == ENOENT);
    CHECK(dispatcher.outputs()[1].counters.waiting == 1);
    CHECK(dispatcher.outputs()[1].counters.gone == 0);
    const int fresh = serve("stream", SOCK_STREAM);
    REQUIRE(listen(fresh, 1) == 0);
    for (int i = 0; i < 300 && dispatcher.outputs()[1].counters.waiting > 0; ++i)
        usleep(10'000);
    CHECK(dispatcher.outputs()[1].counters.waiting == 0);
    CHECK(dispatcher.outputs()[1].counters.failing == 0);
    close(fresh);
}

TEST_CASE("outputs are opened as the settings say") {
    const Directory directory;
    Settings settings = to(Output::file, directory / "x");
    settings.output(Output::standard_output).enabled = false;
    settings.hostname = "h";
    settings.json_output = true;
    Dispatcher dispatcher(style_of(settings), settings.queue_capacity);
    auto sinks = open_sinks(settings);
    REQUIRE(sinks);
    for (auto& sink : *sinks)
        dispatcher.add(std::move(sink));
    REQUIRE(dispatcher.outputs().size() == 1);
    dispatcher.warn("test", "message", {{"n", std::uint64_t{1}}});
    CHECK(dispatcher.drain(std::chrono::seconds(5)));
    const auto json = nlohmann::json::parse(content(directory / "x"));
    CHECK(json["rule"] == "Tiercel internal: test");
    CHECK(json["source"] == "internal");
    CHECK(json["hostname"] == "h");
    CHECK(json["output_fields"]["n"] == 1);
    settings.output(Output::unix_socket) = {.enabled = true, .target = directory / "none"};
    CHECK(open_sinks(settings)->size() == 2); // an absent receiver does not keep the sensor down
    settings.output(Output::file) = {.enabled = true, .target = directory / "no/such"};
    CHECK_FALSE(open_sinks(settings));
    CHECK(any_enabled(settings));
    for (auto& output : settings.outputs)
        output.enabled = false;
    CHECK_FALSE(any_enabled(settings));
    CHECK(open_sinks(settings)->empty());
}

TEST_CASE("without keep_alive the program is started once for each alert, one after the other") {
    const Directory directory;
    const std::string copy = directory / "copy";
    Dispatcher dispatcher(Style(), 10);
    auto program = open_program(to(Output::program, "echo begin >> " + copy + "; cat >> " + copy));
    REQUIRE(program);
    dispatcher.add(std::move(*program));
    for (int i = 0; i < 2; ++i)
        dispatcher.send(sample());
    const auto lines = [&copy] {
        const std::string text = content(copy);
        return std::count(text.begin(), text.end(), '\n');
    };
    for (int i = 0; i < 1000 && lines() < 4; ++i)
        usleep(10'000);
    std::istringstream text(content(copy));
    for (int i = 0; i < 2; ++i) {
        std::string line;
        std::getline(text, line);
        CHECK(line == "begin");
        std::getline(text, line);
        CHECK(line.ends_with("file=/x"));
    }
}

TEST_CASE("an alert program inherits standard streams only") {
    const Directory directory;
    const std::string list = directory / "list";
    constexpr int kInherited = 77; // not closed on exec, and no number that a shell uses itself
    REQUIRE(dup2(STDERR_FILENO, kInherited) == kInherited);
    Dispatcher dispatcher(Style(), 10);
    auto program =
        open_program(kept("ls /proc/$$/fd > " + list + ".new; mv " + list + ".new " + list));
    REQUIRE(program);
    for (int i = 0; i < 1000 && content(list).empty(); ++i)
        usleep(10'000);
    const std::string text = content(list);
    CHECK(text.starts_with("0\n1\n"));
    CHECK(text.find("\n77\n") == std::string::npos);
    close(kInherited);
}

TEST_CASE("an output that cannot be written says why") {
    Dispatcher dispatcher(Style(), 10);
    auto full = open_file(to(Output::file, "/dev/full"));
    REQUIRE(full);
    dispatcher.add(std::move(*full));
    dispatcher.send(sample());
    CHECK_FALSE(dispatcher.drain(std::chrono::milliseconds(300))); // it is tried again
    const auto counters = dispatcher.outputs()[0].counters;
    CHECK(counters.waiting == 1);
    CHECK(counters.retried > 0);
    CHECK(counters.failing == ENOSPC);
    CHECK(counters.error == ENOSPC);
}

TEST_CASE("a token bucket permits a burst and then its rate") {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    TokenBucket bucket(2, 3);
    for (int i = 0; i < 3; ++i)
        CHECK(bucket.take(kSecond));
    CHECK_FALSE(bucket.take(kSecond));
    CHECK(bucket.take(kSecond + kSecond / 2));
    CHECK_FALSE(bucket.take(kSecond + kSecond / 2));
    for (int i = 0; i < 3; ++i)
        CHECK(bucket.take(100 * kSecond)); // never more than the burst
    CHECK_FALSE(bucket.take(100 * kSecond));
}

TEST_CASE("a file has each alert once, however far its writer came before it was killed") {
    const Directory directory;
    const std::string path = directory / "alerts";
    const tiercel::os::UniqueFd memory(memfd_create("alerts", MFD_CLOEXEC));
    const tiercel::os::UniqueFd shared(memfd_create("progress", MFD_CLOEXEC));
    constexpr std::size_t kBytes = 64 << 10;
    using tiercel::ring::Progress;
    REQUIRE(ftruncate(memory.get(), kBytes) == 0);
    REQUIRE(ftruncate(shared.get(), sizeof(Progress::Shared)) == 0);
    const auto map = [](const tiercel::os::UniqueFd& fd, std::size_t bytes) {
        return *tiercel::os::Mapping::shared(fd, bytes, 0, PROT_READ | PROT_WRITE, "a memory");
    };
    const Progress progress(map(shared, sizeof(Progress::Shared)));
    std::string written;
    SUBCASE("not at all") {}
    SUBCASE("not at all, behind another line") {
        written = "other\n";
    }
    SUBCASE("a part") {
        written = "other\nfir";
    }
    SUBCASE("all but the newline") {
        written = "first";
    }
    SUBCASE("all") {
        written = "other\nfirst\n";
    }
    std::ofstream(path) << written;
    KeptLines killed(map(memory, kBytes), progress);
    std::vector<Outbox::LinePointer> waiting;
    for (const char* text : {"first", "second"})
        waiting.push_back(
            killed.keep(std::make_shared<const Line>(Line{text, Priority::notice, "A rule", 7}),
                        "file " + path, {}));
    killed.freeze();

    Dispatcher next({}, 10);
    next.keep_lines(map(memory, kBytes), progress);
    auto sinks = open_sinks(to(Output::file, path));
    REQUIRE(sinks);
    for (auto& sink : *sinks)
        next.add(std::move(sink));
    REQUIRE(next.drain(std::chrono::seconds(5)));
    const std::string before = written.starts_with("other") ? "other\n" : "";
    CHECK(content(path) == before + "first\nsecond\n");
}

TEST_CASE("an entry of the journal has priority, rule and container as fields") {
    const std::string entry = journal_entry({.text = "08:00: Error x",
                                             .priority = Priority::error,
                                             .rule = "A rule",
                                             .time_ns = 7,
                                             .container_id = "0123456789ab"});
    CHECK(entry == "MESSAGE=08:00: Error x\nMESSAGE_ID=" + std::string(kAlertMessageId) +
                       "\nPRIORITY=3\nSYSLOG_IDENTIFIER=tiercel\nRULE=A rule\n"
                       "CONTAINER_ID=0123456789ab\n");
    const std::string host = journal_entry({.text = "a", .rule = "two\nlines"});
    CHECK(host.find("CONTAINER_ID") == std::string::npos);
    CHECK(host.find("RULE=two\\x0alines\n") != std::string::npos);
}

TEST_CASE("a stream to the journal gets entries, and text where there is no journal") {
    // Without the journal's socket the stream itself gets the lines.
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const int saved = dup(STDOUT_FILENO);
    struct stat status {};
    REQUIRE(dup2(ends[1], STDOUT_FILENO) >= 0);
    REQUIRE(fstat(STDOUT_FILENO, &status) == 0);
    setenv("JOURNAL_STREAM",
           (std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino)).c_str(), 1);
    auto sink = open_standard_output({});
    dup2(saved, STDOUT_FILENO);
    unsetenv("JOURNAL_STREAM");
    close(saved);
    close(ends[1]);
    REQUIRE(sink);
    if (access(kJournalSocket, F_OK) == 0)
        return; // tests/vm/systemd sees what the journal gets
    CHECK((*sink)->write({.text = "a line", .rule = "r"}));
    char text[16] = {};
    CHECK(read(ends[0], text, sizeof text) == 7);
    CHECK(std::string(text) == "a line\n");
    close(ends[0]);
}
