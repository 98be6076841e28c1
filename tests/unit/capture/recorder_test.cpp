// SPDX-License-Identifier: Apache-2.0
//
// Recordings that rotate, and captures around an alert: each file can be read by itself, and
// together they hold what they should.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "analyzer/capture/alert_capture.h"
#include "analyzer/capture/reader.h"
#include "analyzer/capture/recorder.h"
#include "tests/unit/capture/sample.h"
#include "tests/unit/capture/state_text.h"

using namespace tiercel;
using capture::FileRing;
using test::EventBuilder;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
const capture::MachineInfo kMachine = test::sample_machine();

struct Folder {
    std::string path = std::filesystem::temp_directory_path().string() + "/recorder-XXXXXX";
    Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name) const { return path + '/' + name; }
};

// An openat that gives fd `fd` the name /file/FD, at `second`.
EventBuilder opening(std::int64_t fd, std::uint64_t second) {
    EventBuilder builder(event::SYSCALL_OPENAT_2_X);
    builder.tid(20).ts(second * kSecond).i64(fd).i64(-100).text("/file/" + std::to_string(fd));
    return builder;
}

struct Content {
    std::vector<std::uint64_t> seconds;
    std::string state_at_start;
    std::string error;
    std::size_t unnamed = 0; // events after which their fd was not known
};
Content read_back(const std::string& path) {
    Content content;
    state::StateTracker engine;
    capture::Reader reader(os::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), engine);
    while (const auto event = reader.next()) {
        if (content.seconds.empty())
            content.state_at_start = test::text_of(engine);
        content.seconds.push_back(event->view.ts() / kSecond);
        content.unnamed += engine.apply(event->view, 0).fd == nullptr ? 1 : 0;
    }
    content.error = reader.error();
    return content;
}

FileRing open_ring(const std::string& path, std::uint64_t count) {
    auto ring = FileRing::open(path, count);
    REQUIRE(ring);
    return *std::move(ring);
}

} // namespace

TEST_CASE("files of a directory: named when used, the oldest again, and none that was moved away") {
    const Folder folder;
    const auto names = [&folder] {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path))
            found.push_back(entry.path().filename().string());
        std::ranges::sort(found);
        return found;
    };
    const auto use = [](FileRing& ring, const char* name) {
        auto file = ring.next(name);
        REQUIRE(file);
        REQUIRE(write(file->fd.get(), name, 2) == 2);
        return file->name;
    };
    using Names = std::vector<std::string>;
    {
        auto ring = FileRing::open_directory(folder.path, 2);
        REQUIRE(ring);
        CHECK(names() == Names{"spare-0.scap", "spare-1.scap"});
        CHECK(use(*ring, "01-a") == folder.file("01-a.scap"));
        CHECK(use(*ring, "02-b") == folder.file("02-b.scap"));
        CHECK(use(*ring, "03-c") == folder.file("03-c.scap"));
        CHECK(names() == Names{"02-b.scap", "03-c.scap"});
    }
    // Another file is left alone; those of the earlier run count.
    std::ofstream(folder.file("mine.scap")) << "mine";
    auto ring = FileRing::open_directory(folder.path, 3);
    REQUIRE(ring);
    CHECK(names() == Names{"02-b.scap", "03-c.scap", "mine.scap", "spare-0.scap"});
    use(*ring, "04-d");
    use(*ring, "05-e");
    CHECK(names() == Names{"03-c.scap", "04-d.scap", "05-e.scap", "mine.scap"});
    CHECK(std::filesystem::file_size(folder.file("05-e.scap")) == 2);
    // Moved away: the next file is used in its place, and the moved one keeps its content.
    std::filesystem::rename(folder.file("03-c.scap"), folder.file("kept"));
    use(*ring, "06-f");
    CHECK(names() == Names{"05-e.scap", "06-f.scap", "kept", "mine.scap"});
    CHECK(std::filesystem::file_size(folder.file("kept")) == 2);
    // A name that a file already has: that file is used again, and none is lost.
    use(*ring, "05-e");
    CHECK(names() == Names{"05-e.scap", "06-f.scap", "kept", "mine.scap"});
    for (const char* name : {"05-e.scap", "06-f.scap"})
        std::filesystem::remove(folder.file(name));
    CHECK(std::string_view(ring->next("07-g").error().what).find("moved away") !=
          std::string_view::npos);
    CHECK_FALSE(FileRing::open_directory(folder.file("absent"), 2));
}

TEST_CASE("files of a ring: names, rights, and no link followed") {
    const Folder folder;
    open_ring(folder.file("a.scap"), 1);
    open_ring(folder.file("b.scap.gz"), 11);
    open_ring(folder.file("c"), 2);
    for (const char* name : {"a.scap", "b.00.scap.gz", "b.10.scap.gz", "c.0", "c.1"}) {
        struct stat status {};
        CAPTURE(name);
        REQUIRE(stat(folder.file(name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
    REQUIRE(symlink("/etc/passwd", folder.file("link").c_str()) == 0);
    const auto refused = FileRing::open(folder.file("link"), 1);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().number == ELOOP);
    CHECK_FALSE(FileRing::open(folder.file("absent/x"), 1));
}

TEST_CASE("rotation by time: the oldest file is overwritten, each begins with its state") {
    const Folder folder;
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Recorder recorder(open_ring(folder.file("t.scap"), 3), {.ns = 10 * kSecond}, kMachine);
    for (std::uint64_t second = 100; second < 150; ++second) {
        auto event = opening(static_cast<std::int64_t>(second), second);
        const auto view = event.view();
        REQUIRE(recorder.take(view, 0, engine));
        engine.apply(view, 0);
    }
    REQUIRE(recorder.finish(engine));
    // 100–109 and 110–119 were overwritten by 130–139 and 140–149.
    const char* const names[] = {"t.2.scap", "t.0.scap", "t.1.scap"};
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Content content = read_back(folder.file(names[i]));
        CAPTURE(names[i]);
        CHECK(content.error.empty());
        REQUIRE(content.seconds.size() == 10);
        CHECK(content.seconds.front() == 120 + 10 * i);
        CHECK(content.unnamed == 0);
        const std::string before = "'/file/" + std::to_string(119 + 10 * i) + "'";
        const std::string after = "'/file/" + std::to_string(120 + 10 * i) + "'";
        CHECK(content.state_at_start.find(before) != std::string::npos);
        CHECK(content.state_at_start.find(after) == std::string::npos);
    }
}

TEST_CASE("rotation by size") {
    const Folder folder;
    state::StateTracker engine;
    test::fill_sample_state(engine);
    constexpr std::uint64_t kSize = 300'000;
    capture::Recorder recorder(open_ring(folder.file("s.scap"), 10), {.bytes = kSize}, kMachine);
    for (std::uint64_t second = 1; second <= 10'000; ++second)
        REQUIRE(recorder.take(opening(3, second).view(), 0, engine));
    REQUIRE(recorder.finish(engine));
    std::size_t files = 0, events = 0;
    for (int i = 0; i < 10; ++i) {
        const std::string path = folder.file("s." + std::to_string(i) + ".scap");
        if (std::filesystem::file_size(path) == 0)
            continue;
        ++files;
        CHECK(std::filesystem::file_size(path) < kSize + 2UL * 64 * 1024);
        const Content content = read_back(path);
        CHECK(content.error.empty());
        events += content.seconds.size();
    }
    CHECK(files > 2);
    CHECK(events == 10'000);
}

TEST_CASE("a recording without events is a whole capture") {
    const Folder folder;
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Recorder recorder(open_ring(folder.file("e.scap.gz"), 1), {}, kMachine);
    REQUIRE(recorder.finish(engine));
    const Content content = read_back(folder.file("e.scap.gz"));
    CHECK(content.seconds.empty());
    CHECK(content.error.empty());
}

TEST_CASE("an alert's capture holds what was before and after it") {
    const Folder folder;
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::AlertCapture captures(open_ring(folder.file("a.scap"), 2), 5 * kSecond, kMachine);
    std::vector<std::string> begun;
    for (std::uint64_t second = 100; second < 200; ++second) {
        auto event = opening(static_cast<std::int64_t>(second), second);
        const auto view = event.view();
        REQUIRE(captures.take(view, 0, engine));
        engine.apply(view, 0);
        if (second == 128 || second == 133 || second == 180) {
            auto name = captures.trigger(10 * kSecond, {});
            REQUIRE(name);
            begun.emplace_back(*name);
        }
    }
    REQUIRE(captures.finish());
    CHECK(begun == std::vector<std::string>{folder.file("a.0.scap"), "", folder.file("a.1.scap")});
    const Content first = read_back(folder.file("a.0.scap"));
    CHECK(first.error.empty());
    REQUIRE_FALSE(first.seconds.empty());
    CHECK(first.seconds.front() <= 123);
    CHECK(first.seconds.front() >= 118);
    CHECK(first.seconds.back() == 143); // the second alert made it longer
    CHECK(first.unnamed == 0);
    CHECK(first.seconds.size() == 143 - first.seconds.front() + 1); // none twice, none missing
    const Content second = read_back(folder.file("a.1.scap"));
    CHECK(second.seconds.front() <= 175);
    CHECK(second.seconds.back() == 190);
}

TEST_CASE("memory for what may become a capture is bounded") {
    const Folder folder;
    state::StateTracker engine;
    capture::AlertCapture captures(open_ring(folder.file("m.scap"), 1), 1000 * kSecond, kMachine);
    const std::string payload(60'000, 'x');
    for (std::uint64_t i = 0; i < 2'000; ++i) { // 120 MB within the time
        EventBuilder read(event::SYSCALL_READ_X);
        REQUIRE(captures.take(read.ts(i).i64(1).bytes(payload).view(), 0, engine));
    }
    REQUIRE(captures.trigger(0, {}));
    REQUIRE(captures.finish());
    const auto size = std::filesystem::file_size(folder.file("m.scap"));
    CHECK(size > capture::AlertCapture::kSegmentBytes);
    CHECK(size < 2 * (capture::AlertCapture::kSegmentBytes + 65'536));
}
