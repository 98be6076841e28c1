// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "courier/spool/spool.h"

using namespace tiercel::courier;
using namespace std::chrono_literals;

namespace {

struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / "tiercel-spool-XXXXXX").string();
    Folder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::unique_ptr<Spool> open(const Folder& folder, Limits limits = {},
                            const std::vector<std::string>& names = {"a", "b"}) {
    auto spool = Spool::open(folder.path, limits, names);
    REQUIRE(spool.has_value());
    return *std::move(spool);
}

bool append(Spool& spool, std::uint64_t sequence, std::uint8_t priority = 3,
            const std::string& text = "alert") {
    Record record{.session = 7,
                  .sequence = sequence,
                  .time_ns = 1,
                  .priority = priority,
                  .host = "host",
                  .rule = "rule",
                  .text = text};
    return spool.append({&record, 1}).has_value();
}

// Reads everything that waits for the destination, and advances behind it.
std::vector<std::uint64_t> take_all(Spool& spool, std::size_t destination) {
    std::vector<std::uint64_t> sequences;
    Batch batch;
    while (spool.read(destination, 3, 1000, batch, 0ms)) {
        for (const Record& record : batch.records)
            sequences.push_back(record.sequence);
        REQUIRE(spool.advance(destination, batch.records.back().index + 1).has_value());
    }
    return sequences;
}

std::vector<std::string> files(const Folder& folder, const char* suffix) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path))
        if (entry.path().extension() == suffix)
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

using Sequences = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("a record is read as it was written, and damage is noticed") {
    const std::string text(1000, 'x');
    const Record record{.index = 5,
                        .boot = {1, 2},
                        .session = 6,
                        .sequence = 7,
                        .time_ns = 8,
                        .stored_ns = 9,
                        .priority = 2,
                        .host = "h",
                        .rule = "",
                        .text = text};
    std::string file;
    encode(record, file);
    Record read;
    REQUIRE(decode(file, read) == file.size());
    CHECK(read.index == 5);
    CHECK(read.boot == record.boot);
    CHECK(read.sequence == 7);
    CHECK(read.host == "h");
    CHECK(read.rule.empty());
    CHECK(read.text == text);
    CHECK(decode(std::string_view(file).substr(0, file.size() - 1), read) == 0);
    for (const std::size_t at : {0UL, 5UL, 9UL, 40UL, file.size() - 1}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        CHECK(decode(damaged, read) == 0);
    }
}

TEST_CASE("destinations read in order, each at its own place, also after a restart") {
    const Folder folder;
    {
        auto spool = open(folder);
        for (std::uint64_t i = 1; i <= 10; ++i)
            REQUIRE(append(*spool, i));
        CHECK(take_all(*spool, 0) == Sequences{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
        Batch batch;
        REQUIRE(spool->read(1, 4, 100'000, batch, 0ms));
        CHECK(batch.records.size() == 4);
        REQUIRE(spool->advance(1, batch.records[1].index + 1).has_value()); // two of the four
        CHECK(spool->last_sequence({}, 7) == 10);
        CHECK(spool->backlog(0).bytes == 0);
        CHECK(spool->backlog(1).bytes > 0);
        CHECK(spool->backlog(1).oldest_ns > 0);
    }
    auto spool = open(folder);
    CHECK(spool->last_sequence({}, 7) == 10); // so that a client's repetition is recognised
    CHECK(take_all(*spool, 0).empty());
    CHECK(take_all(*spool, 1) == Sequences{3, 4, 5, 6, 7, 8, 9, 10});
    REQUIRE(append(*spool, 11));
    CHECK(take_all(*spool, 0) == Sequences{11});
}

TEST_CASE("a write that was interrupted is cut off, and nothing before it is lost") {
    const Folder folder;
    {
        auto spool = open(folder);
        REQUIRE(append(*spool, 1));
        REQUIRE(append(*spool, 2));
    }
    const std::string file = files(folder, ".spool").back();
    const auto whole = std::filesystem::file_size(file);
    for (std::uintmax_t cut = 1; cut < whole / 2; cut += 7) {
        const Folder other;
        std::filesystem::copy(file, other.path + "/" + file.substr(file.rfind('/')));
        std::filesystem::resize_file(other.path + "/" + file.substr(file.rfind('/')), whole - cut);
        auto spool = Spool::open(other.path, {}, {"a"});
        REQUIRE(spool.has_value());
        REQUIRE(append(**spool, 3));
        CHECK(take_all(**spool, 0) == Sequences{1, 3});
    }
}

TEST_CASE("segments leave when every destination has passed them") {
    const Folder folder;
    auto spool = open(folder, {.bytes = 1 << 20});
    const std::string text(10'000, 'x');
    for (std::uint64_t i = 1; i <= 50; ++i)
        REQUIRE(append(*spool, i, 3, text));
    CHECK(files(folder, ".spool").size() > 5);
    take_all(*spool, 0);
    CHECK(files(folder, ".spool").size() > 5);
    CHECK(take_all(*spool, 1).size() == 50);
    CHECK(files(folder, ".spool").size() == 1);
    CHECK(spool->backlog(1).dropped == 0);
}

TEST_CASE("a full spool drops the oldest records, and counts them for each destination") {
    const Folder folder;
    auto spool = open(folder, {.bytes = 1 << 20});
    const std::string text(10'000, 'x');
    for (std::uint64_t i = 1; i <= 100; ++i) {
        REQUIRE(append(*spool, i, 3, text));
        take_all(*spool, 0);
    }
    for (std::uint64_t i = 101; i <= 200; ++i)
        REQUIRE(append(*spool, i, 3, text));
    const Sequences left = take_all(*spool, 1);
    CHECK(left.back() == 200);
    CHECK(left.size() + spool->backlog(1).dropped == 200);
    CHECK(take_all(*spool, 0).size() + spool->backlog(0).dropped == 100);
}

TEST_CASE("a full spool drops the lowest priority first if it is told to") {
    const Folder folder;
    auto spool = open(folder, {.bytes = 1 << 20, .drop = Drop::lowest_priority}, {"a"});
    const std::string text(10'000, 'x');
    for (std::uint64_t i = 1; i <= 200; ++i)
        REQUIRE(append(*spool, i, i <= 50 ? 1 : 6, text));
    const Sequences left = take_all(*spool, 0);
    CHECK(std::count_if(left.begin(), left.end(), [](auto i) { return i <= 50; }) == 50);
    CHECK(std::is_sorted(left.begin(), left.end()));
    CHECK(left.back() == 200);
    CHECK(left.size() + spool->backlog(0).dropped == 200);
}

TEST_CASE("records that are too old are dropped and counted") {
    const Folder folder;
    auto spool = open(folder, {.age_seconds = 60}, {"a"});
    REQUIRE(append(*spool, 1));
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const std::uint64_t now = static_cast<std::uint64_t>(std::time(nullptr)) * kSecond;
    REQUIRE(spool->maintain(now + 30 * kSecond).has_value());
    CHECK(spool->backlog(0).dropped == 0);
    REQUIRE(spool->maintain(now + 120 * kSecond).has_value());
    CHECK(spool->backlog(0).dropped == 1);
    REQUIRE(append(*spool, 2));
    CHECK(take_all(*spool, 0) == Sequences{2});
}

TEST_CASE("a second courier may not use the spool") {
    const Folder folder;
    auto spool = open(folder);
    CHECK_FALSE(Spool::open(folder.path, {}, {"a"}).has_value());
}

TEST_CASE(
    "a destination that is new gets what the spool still has, and one that is gone holds nothing") {
    const Folder folder;
    {
        auto spool = open(folder);
        REQUIRE(append(*spool, 1));
        take_all(*spool, 0);
    }
    auto spool = open(folder, {}, {"a", "c"});
    CHECK(files(folder, ".cursor").size() == 2);
    CHECK(take_all(*spool, 0).empty());
    CHECK(take_all(*spool, 1) == Sequences{1});
}
