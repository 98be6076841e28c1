// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>

#include <memory>
#include <string>
#include <type_traits>

#include "shared/os/file.h"
#include "shared/os/mapping.h"
#include "shared/os/unique_fd.h"

using namespace tiercel::os;

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static_assert(!std::is_convertible_v<UniqueFd, int> && !std::is_convertible_v<UniqueFd, bool> &&
              !std::is_constructible_v<bool, UniqueFd> && !std::is_copy_constructible_v<UniqueFd>);
static_assert(!std::is_convertible_v<Result<int>, bool>);

TEST_CASE("a fd is closed exactly once, by its last owner") {
    int number = -1;
    {
        UniqueFd first(open("/dev/null", O_RDONLY));
        number = first.get();
        UniqueFd second(std::move(first));
        CHECK_FALSE(
            first.valid()); // NOLINT(bugprone-use-after-move): the state after a move is tested
        CHECK(second.get() == number);
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
}

TEST_CASE("a fd that is assigned over is closed, a released one is not") {
    UniqueFd fd(open("/dev/null", O_RDONLY));
    int old = fd.get();
    fd = UniqueFd(open("/dev/zero", O_RDONLY));
    CHECK(fd.valid());
    CHECK_FALSE((old != fd.get() && is_open(old)));
    int released = fd.release();
    CHECK(is_open(released));
    close(released);
}

TEST_CASE("closing does not change errno") {
    UniqueFd wrong(987654);
    errno = EXDEV;
    wrong.reset();
    CHECK(errno == EXDEV);
}

TEST_CASE("an error keeps errno and its object") {
    errno = ENOSPC;
    Error made = error("write", "/var/log/x");
    CHECK(made.number == ENOSPC);
    CHECK(std::string(made.on) == "/var/log/x");
    CHECK(std::string(error("open", std::string(500, 'a')).on).size() == sizeof made.on - 1);
}

TEST_CASE("a result holds a value or an error") {
    Result<std::unique_ptr<int>> good(std::make_unique<int>(7));
    REQUIRE(good);
    CHECK(**good == 7);
    std::unique_ptr<int> taken = *std::move(good);
    CHECK(*taken == 7);
    Result<int> bad(error("open", "x", ENOENT));
    CHECK_FALSE(bad.has_value());
    CHECK(bad.error().number == ENOENT);
    CHECK(Result<void>().has_value());
    CHECK_FALSE(Result<void>(error("x")).has_value());
}

// What `write` writes to stderr.
template <typename Write>
static std::string written_by(Write write) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    write();
    dup2(saved, STDERR_FILENO);
    close(saved);
    char line[8192] = {};
    CHECK(read(ends[0], line, sizeof line - 1) > 0);
    close(ends[0]);
    close(ends[1]);
    return line;
}

TEST_CASE("print gives one line with what, on what, why and what to do") {
    CHECK(written_by([] { print("privd", error("open", "/x", EACCES), "run it as root"); }) ==
          "privd: cannot open /x: Permission denied (errno 13); run it as root\n");
}

TEST_CASE("text of others in a line on stderr is visible, and does not end the line") {
    const auto shown = [](const char* path) {
        return written_by([path] { print("privd", error("open", path, 0), ""); });
    };
    CHECK(shown("/tmp/\x1b[2J\nx\x7f") == "privd: cannot open /tmp/\\x1b[2J\\x0ax\\x7f\n");
    CHECK(shown("/\u202e") == "privd: cannot open /\\xe2\\x80\\xae\n");
    CHECK(shown("/a\\x1b b\\c") == "privd: cannot open /a\\x5cx1b b\\c\n");
    const std::string cut =
        written_by([] { write_stderr("%s\n", std::string(2000, '\x1b').c_str()); });
    CHECK(cut.size() == 1022 * 4 + 1);
    CHECK(cut.ends_with("\\x1b\n"));
}

TEST_CASE("read_file reads, cuts and fails") {
    char path[] = "/tmp/tiercel-os-XXXXXX";
    UniqueFd fd(mkstemp(path));
    REQUIRE(write(fd.get(), "hello\n", 6) == 6);
    char small[3], large[64];
    CHECK(*read_file("", path, large) == "hello");
    CHECK(*read_file("/tmp", path + 4, large) == "hello");
    CHECK(*read_file("", path, small) == "hel");
    unlink(path);
    CHECK(read_file("", path, large).error().number == ENOENT);
    CHECK(read_file("", std::string(5000, 'x').c_str(), large).error().number == ENAMETOOLONG);
}

TEST_CASE("read_file reads on where a file of /proc gives a page at a time") {
    static char text[16384];
    REQUIRE(read_file("", "/proc/self/smaps", text));
    CHECK(read_file("", "/proc/self/smaps", text)->size() > 8192);
}

TEST_CASE("parse_unsigned takes a whole number and nothing else") {
    CHECK(parse_unsigned("0") == 0u);
    CHECK(parse_unsigned("18446744073709551615") == 18446744073709551615u);
    CHECK(parse_unsigned("ff", 16) == 255u);
    for (const char* bad : {"", " 1", "1 ", "-1", "+1", "1x", "18446744073709551616"})
        CHECK_FALSE(parse_unsigned(bad).has_value());
}

TEST_CASE("a mapping is unmapped once, and follows its owner") {
    UniqueFd fd(memfd_create("test", 0));
    REQUIRE(ftruncate(fd.get(), 4096) == 0);
    auto made = Mapping::shared(fd, 4096, 0, PROT_READ | PROT_WRITE, "test");
    REQUIRE(made);
    Mapping mapping = *std::move(made);
    *mapping.data() = std::byte{42};
    char byte = 0;
    CHECK(pread(fd.get(), &byte, 1, 0) == 1);
    CHECK(byte == 42);
    CHECK(Mapping::shared(UniqueFd(), 4096, 0, PROT_READ, "nothing").error().number == EBADF);
}
