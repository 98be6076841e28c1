// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "analyzer/output/writer.h"
#include "shared/os/unique_fd.h"

using namespace tiercel;
using output::Writer;

namespace {

void line(Writer& writer, std::string_view text) {
    writer.buffer().append(text.data(), text.data() + text.size());
    writer.line_done();
}

std::string contents(const os::UniqueFd& fd) {
    std::string all(1 << 20, '\0');
    const ssize_t got = pread(fd.get(), all.data(), all.size(), 0);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
}

} // namespace

TEST_CASE("lines are held back until the buffer is full or flush() is called") {
    const os::UniqueFd file(memfd_create("out", MFD_CLOEXEC));
    Writer writer(file.get());
    line(writer, "one\n");
    CHECK(contents(file).empty());
    CHECK(writer.flush());
    CHECK(contents(file) == "one\n");
    line(writer, std::string(Writer::kFlushAt, 'x'));
    CHECK(contents(file).size() == 4 + Writer::kFlushAt);
}

TEST_CASE("a full disk and a reader that has gone are reported, and nothing more is tried") {
    signal(SIGPIPE, SIG_IGN);
    const os::UniqueFd full(open("/dev/full", O_WRONLY));
    Writer to_full(full.get());
    line(to_full, "x\n");
    CHECK_FALSE(to_full.flush());
    CHECK(to_full.error() == ENOSPC);
    line(to_full, "y\n");
    CHECK_FALSE(to_full.flush());

    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const os::UniqueFd out(ends[1]);
    close(ends[0]);
    Writer to_nobody(out.get());
    line(to_nobody, "x\n");
    CHECK_FALSE(to_nobody.flush());
    CHECK(to_nobody.error() == EPIPE);
}

TEST_CASE("a pipe that is non-blocking and full is waited for, and loses nothing") {
    int ends[2];
    REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
    const os::UniqueFd in(ends[0]), out(ends[1]);
    const std::string much(500'000, 'm');
    Writer writer(out.get());
    std::size_t read_bytes = 0;
    std::thread reader([&] {
        char chunk[10'000];
        while (read_bytes < much.size()) {
            const ssize_t got = read(in.get(), chunk, sizeof chunk);
            if (got > 0)
                read_bytes += static_cast<std::size_t>(got);
            else
                std::this_thread::yield();
        }
    });
    line(writer, much);
    CHECK(writer.flush());
    reader.join();
    CHECK(read_bytes == much.size());
}
