// SPDX-License-Identifier: Apache-2.0
//
// make_capture: writes a capture for tests of the incident page on standard output.
//
// Usage: make_capture hostile        names that try to leave the page or to mislead its reader
//        make_capture bulk EVENTS    many processes, files and connections
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "analyzer/capture/writer.h"
#include "tests/unit/report/incident.h"

using namespace tiercel;
using test::Actor;

namespace {

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
constexpr std::uint32_t kWrite = event::flags::file_flags::kO_WRONLY;

class Capture {
  public:
    Capture() {
        std::strcpy(machine_.hostname, "<b>host</b>");
        machine_.cpus = 1;
        good_ = static_cast<bool>(writer_.begin(machine_, state_));
    }
    void add(test::EventBuilder event) {
        good_ = good_ && writer_.add(event.view(), 0);
        ++events_;
    }
    std::uint64_t events() const { return events_; }
    int finish() { return good_ && writer_.finish() ? 0 : 1; }

  private:
    capture::MachineInfo machine_;
    state::StateTracker state_;
    capture::Writer writer_{1, capture::Packing::plain};
    std::uint64_t events_ = 0;
    bool good_ = true;
};

int hostile() {
    Capture capture;
    const Actor shell{.pid = 10, .parent = 1, .name = "bash"};
    std::uint64_t ts = kStart;
    capture.add(shell.start(ts));
    capture.add(shell.exec(ts += 1000, "-l"));
    std::string deep = "/tmp";
    while (deep.size() < 4000)
        deep += "/<i>deep</i>";
    const std::string names[] = {
        "/tmp/</script><script>window.hacked=1</script>",
        "/tmp/<img src=x onerror=window.hacked=1>",
        "/tmp/<!--<script>",
        "/tmp/]]>\"'`${window.hacked=1}",
        "/tmp/\xe2\x80\xaegpj.exe", // U+202E turns the direction
        "/tmp/\x1b[2J\x07\r\nforged line",
        "/tmp/\xff\xfe\xc0\xaf",
        "/tmp/__proto__",
        "/tmp/"
        "\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc"
        "\u307f"
        "\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc\u307f\u8aad\u307f\u8fbc"
        "\u307f",
        "javascript:window.hacked=1",
        deep,
    };
    std::int64_t pid = 100;
    for (const std::string& name : names) {
        const Actor actor{.pid = pid, .parent = 10, .name = name.substr(0, 15)};
        capture.add(actor.start(ts += 1'000'000));
        capture.add(actor.exec(ts += 1000, name));
        capture.add(actor.open(ts += 1000, 3, name, kWrite));
        capture.add(actor.write(ts += 1000, 3, name));
        capture.add(actor.unlink(ts += 1000, name));
        capture.add(actor.end(ts += 1000, 9));
        ++pid;
    }
    const Actor client{.pid = 99, .parent = 10, .name = "curl"};
    capture.add(client.start(ts += 1'000'000));
    capture.add(client.exec(ts += 1000, "http://evil/"));
    capture.add(client.socket(ts += 1000, 3, 2));
    capture.add(client.connect(ts += 1000, 3, 53, 53));
    capture.add(client.read(ts += 1000, 3, test::dns_answer("<script>.evil.example", 80)));
    capture.add(client.socket(ts += 1000, 4));
    capture.add(client.connect(ts += 1000, 4, 80, 443));
    capture.add(client.write(ts += 1000, 4, "GET / HTTP/1.1\r\n"));
    capture.add(client.end(ts += 1000));
    return capture.finish();
}

int bulk(std::uint64_t events) {
    Capture capture;
    std::uint64_t ts = kStart;
    const Actor shell{.pid = 10, .parent = 1, .name = "bash"};
    capture.add(shell.start(ts));
    for (std::int64_t i = 0; capture.events() < events; ++i) {
        const Actor actor{.pid = 1000 + i % 30000,
                          .parent = i % 3 == 0 ? 10 : 1000 + (i - 1) % 30000,
                          .name = "worker" + std::to_string(i % 7),
                          .uid = static_cast<std::uint32_t>(1000 + i % 50)};
        capture.add(actor.start(ts += 1000));
        capture.add(actor.exec(ts += 1000, "--job " + std::to_string(i) + " --verbose"));
        for (int file = 0; file < 4; ++file) {
            const std::string path = "/srv/data/part-" + std::to_string(i % 97) + "/object-" +
                                     std::to_string(i * 4 + file) + ".bin";
            capture.add(actor.open(ts += 1000, 3, path, file % 2 == 0 ? kWrite : 1));
            for (int call = 0; call < 4; ++call)
                capture.add(file % 2 == 0 ? actor.write(ts += 1000, 3, path)
                                          : actor.read(ts += 1000, 3, path));
        }
        capture.add(actor.socket(ts += 1000, 4));
        capture.add(actor.connect(ts += 1000, 4, static_cast<std::uint8_t>(i % 250),
                                  static_cast<std::uint16_t>(1 + i % 60000)));
        capture.add(actor.write(ts += 1000, 4, "GET /"));
        capture.add(actor.end(ts += 1000, (i % 5) << 8));
    }
    return capture.finish();
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "hostile") == 0)
        return hostile();
    if (argc == 3 && std::strcmp(argv[1], "bulk") == 0)
        return bulk(std::strtoull(argv[2], nullptr, 10));
    fprintf(stderr, "usage: make_capture hostile | bulk EVENTS\n");
    return 2;
}
