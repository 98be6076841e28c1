// SPDX-License-Identifier: Apache-2.0
// The privd binary, with the kernel's help: it loads the probe for a good peer whatever bad ones
// do.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <thread>

#include "kernel/common/abi.h"
#include "shared/os/mapping.h"
#include "shared/wire/client.h"

using namespace tiercel;
using wire::Status;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

// A running privd; its stderr is kept. Ends with it.
class Privd {
  public:
    explicit Privd(
        Words words, const std::function<void()>& before = [] {}) {
        int ends[2];
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(ends[1], STDERR_FILENO);
            dup2(ends[1], STDOUT_FILENO);
            before();
            words.insert(words.begin(), PRIVD);
            std::vector<char*> arguments;
            for (std::string& word : words)
                arguments.push_back(word.data());
            arguments.push_back(nullptr);
            execv(PRIVD, arguments.data());
            _exit(127);
        }
        close(ends[1]);
        output_ = os::UniqueFd(ends[0]);
    }
    ~Privd() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    int exit_code() {
        int status = 0;
        waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    std::string output() {
        std::string text;
        char part[4096];
        for (ssize_t got; (got = read(output_.get(), part, sizeof part)) > 0;)
            text.append(part, static_cast<std::size_t>(got));
        return text;
    }
    // Who connects may be early: the socket listens before privilege is given up, and nobody is
    // served until it is. The filter comes last.
    void wait_until_confined() const {
        for (int i = 0; i < 300 && status("Seccomp:") != "2"; ++i)
            std::this_thread::sleep_for(10ms);
    }
    [[nodiscard]] std::string status(const char* field) const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(file, line);)
            if (line.starts_with(field))
                return line.substr(line.find_last_of('\t') + 1);
        return "";
    }

  private:
    pid_t pid_;
    os::UniqueFd output_;
};

struct Socket {
    Socket() {
        char name[] = "/tmp/tiercel-privd-XXXXXX";
        directory = mkdtemp(name);
        chmod(directory.c_str(), 0755);
        path = directory + "/s";
    }
    ~Socket() {
        unlink(path.c_str());
        rmdir(directory.c_str());
    }
    os::UniqueFd connect() const {
        for (int i = 0; i < 3000; ++i) { // 30 s, on a busy machine
            if (auto socket = wire::client::connect_to(path.c_str()))
                return *std::move(socket);
            std::this_thread::sleep_for(10ms);
        }
        FAIL("privd does not listen");
        return {};
    }
    Words words(const char* peer = "root") const {
        return {"--socket", path, "--user", "nobody", "--peer-user", peer};
    }
    std::string directory, path;
};

wire::Request small() {
    wire::Request request;
    request.ring_bytes = 64 << 10;
    for (auto& word : request.interest)
        word = ~0ull;
    return request;
}

wire::client::Session good_session(const os::UniqueFd& socket) {
    auto session = wire::client::open_session(socket, small());
    REQUIRE_MESSAGE(session, std::string(session.error().what), ": ",
                    std::string(std::strerror(session.error().number)));
    REQUIRE_MESSAGE(session->reply.status == Status::ok, wire::client::describe(session->reply));
    return *std::move(session);
}

// The events of the probe, kept or dropped: this test does not read its small rings, and a busy
// machine fills them at once.
std::uint64_t seen(const wire::client::Session& session) {
    auto counters = os::Mapping::shared(session.counters.at(0), 64UL * session.reply.cpus, 0,
                                        PROT_READ, "counters");
    REQUIRE(counters);
    std::uint64_t sum = 0;
    for (std::uint32_t cpu = 0; cpu < session.reply.cpus; ++cpu) {
        tiercel_cpu_counters one;
        std::memcpy(&one, counters->data() + sizeof one * cpu, sizeof one);
        sum += std::accumulate(one.drops, one.drops + TIERCEL_DROP_REASONS, one.events);
    }
    return sum;
}

// A directory without the file, in a mount namespace of its own.
void hide_btf() {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, nullptr) != 0)
        _exit(126);
}

// A directory on whose path only root may write, and a file in it.
struct RootsFile {
    explicit RootsFile(const char* copy_of) {
        char name[] = "/run/tiercel-privd-XXXXXX";
        directory = mkdtemp(name);
        path = directory + "/file";
        std::ofstream(path, std::ios::binary) << std::ifstream(copy_of, std::ios::binary).rdbuf();
        chmod(directory.c_str(), 0755);
        chmod(path.c_str(), 0644);
    }
    ~RootsFile() {
        unlink(path.c_str());
        rmdir(directory.c_str());
    }
    std::string directory, path;
};

} // namespace

TEST_CASE("privd hands a live probe over and leaves") {
    Socket place;
    Privd privd(place.words());
    os::UniqueFd socket = place.connect();
    privd.wait_until_confined();
    CHECK(privd.status("CapEff:") == "000000c000000000"); // CAP_PERFMON and CAP_BPF
    CHECK(privd.status("CapBnd:") == "0000000000000000");
    CHECK(privd.status("Uid:") == "65534");
    CHECK(privd.status("NoNewPrivs:") == "1");
    CHECK(privd.status("Seccomp:") == "2");
    struct stat file {};
    REQUIRE(stat(place.path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0660);
    auto session = good_session(socket);
    CHECK(privd.exit_code() == 0);
    CHECK(session.rings.size() == session.reply.ring_count);
    CHECK(session.links.size() >= 3);
    CHECK(session.iter_task.size() == 4);
    CHECK(session.iter_task_file.size() == 4);
    std::uint64_t before = seen(session);
    if (pid_t child = fork(); child == 0)
        _exit(0);
    else
        waitpid(child, nullptr, 0);
    CHECK(seen(session) > before);
    // The counters are frozen, so that only the probe can write them.
    CHECK(os::Mapping::shared(session.counters[0], 64, 0, PROT_READ | PROT_WRITE, "counters")
              .error()
              .number == EPERM);
    char dump[4096];
    CHECK(read(session.iter_task[0].get(), dump, sizeof dump) > 0);
    CHECK(read(session.iter_task_file[0].get(), dump, sizeof dump) > 0);
}

TEST_CASE("bad peers lose their own session only") {
    Socket place;
    Privd privd(place.words());
    std::mt19937 random(12345);
    for (int i = 0; i < 200; ++i) {
        os::UniqueFd socket = place.connect();
        std::array<unsigned char, 2 * sizeof(wire::Request)> record;
        for (auto& byte : record)
            byte = static_cast<unsigned char>(random());
        wire::Request request = small();
        if (i % 2) // a right beginning, so that more than the header is looked at
            std::memcpy(record.data(), &request, sizeof(wire::Header));
        std::size_t bytes = i % 3 ? sizeof request : random() % record.size() + 1;
        int fd = STDERR_FILENO;
        bool with_fd = i % 5 == 0;
        (void)wire::send_record(socket, record.data(), bytes,
                                std::span<const int>(&fd, with_fd ? 1 : 0))
            .has_value();
        if (i % 7 == 0)
            continue; // gone before the answer
        wire::Reply reply;
        auto got = wire::receive_record(socket, &reply, sizeof reply);
        if (got)
            CHECK(reply.status != Status::ok);
    }
    os::UniqueFd silent =
        place.connect(); // says nothing: has a second, then the next one's turn comes
    good_session(place.connect());
    CHECK(privd.exit_code() == 0);
}

TEST_CASE("another version is told which one to have") {
    Socket place;
    Privd privd(place.words());
    os::UniqueFd socket = place.connect();
    wire::Request request = small();
    request.header.version = wire::kVersion + 1;
    auto session = wire::client::open_session(socket, request);
    REQUIRE(session);
    CHECK(session->reply.status == Status::wrong_version);
    CHECK(session->reply.detail == wire::kVersion);
}

TEST_CASE("another uid is refused") {
    Socket place;
    Privd privd(place.words("nobody"));
    auto session = wire::client::open_session(place.connect(), small());
    REQUIRE(session);
    CHECK(session->reply.status == Status::wrong_peer);
    CHECK(session->reply.detail == 65534);
}

TEST_CASE("a busy socket is left alone, a stale one is replaced") {
    Socket place;
    {
        Privd first(place.words());
        place.connect();
        Privd second(place.words());
        CHECK(second.exit_code() == 1);
        CHECK(second.output().find("Address already in use") != std::string::npos);
    }
    Privd third(place.words());
    good_session(place.connect());
    CHECK(third.exit_code() == 0);
}

TEST_CASE("the classic driver's door stays, with CAP_SYS_PTRACE alone, until its peer leaves") {
    Socket place;
    Words words = place.words();
    words.insert(words.end(), {"--driver", "classic_bpf"});
    Privd privd(words);
    os::UniqueFd socket = place.connect();
    auto session = good_session(socket);
    CHECK(session.reply.door == 1);
    CHECK(privd.status("CapPrm:") == "0000000000080000");
    CHECK(privd.status("Seccomp_filters:") == "2");
    auto stat = wire::client::ask_door(socket, getpid(), wire::ProcFile::stat);
    REQUIRE(stat);
    char byte = 0;
    CHECK(read(stat->get(), &byte, 1) == 1);
    auto exe = wire::client::ask_link(socket, getpid(), wire::ProcFile::exe);
    REQUIRE(exe);
    CHECK(exe->find("privd_live_test") != std::string::npos);
    CHECK(wire::client::ask_door(socket, INT32_MAX, wire::ProcFile::stat).error().number == ENOENT);
    socket.reset();
    CHECK(privd.exit_code() == 0);
}

TEST_CASE("--stay stays, with no capability and no door, until its peer leaves") {
    Socket place;
    Words words = place.words();
    words.emplace_back("--stay");
    Privd privd(words);
    os::UniqueFd socket = place.connect();
    auto session = good_session(socket);
    CHECK(session.reply.door == 0);
    std::this_thread::sleep_for(1200ms); // longer than a peer has to ask
    CHECK(privd.status("CapPrm:") == "0000000000000000");
    CHECK(privd.status("Seccomp_filters:") == "2");
    socket.reset();
    CHECK(privd.exit_code() == 0);
}

TEST_CASE("--stay answers nothing: who asks for the door ends it") {
    Socket place;
    Words words = place.words();
    words.emplace_back("--stay");
    Privd privd(words);
    os::UniqueFd socket = place.connect();
    good_session(socket);
    CHECK_FALSE(wire::client::ask_door(socket, getpid(), wire::ProcFile::stat));
    CHECK(privd.exit_code() == 1);
}

TEST_CASE("an empty record is answered, and the refused peer's socket is closed") {
    Socket place;
    Privd privd(place.words());
    os::UniqueFd socket = place.connect();
    REQUIRE(wire::send_record(socket, "", 0));
    wire::Reply reply;
    REQUIRE(wire::receive_record(socket, &reply, sizeof reply));
    CHECK(reply.status == Status::malformed);
    pollfd waited{socket.get(), POLLIN, 0};
    CHECK(poll(&waited, 1, 2000) == 1); // while privd waits for the next peer
    CHECK(wire::receive_record(socket, &reply, sizeof reply).error().number == ECONNRESET);
}

// glibc's dprintf calls ioctl(2) on a character device, which no list allows.
TEST_CASE("a malformed request ends no privd whose stderr is a character device") {
    Socket place;
    Privd privd(place.words(), [] {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
    });
    for (int i = 0; i < 3; ++i) {
        os::UniqueFd socket = place.connect();
        char garbage[100] = {};
        REQUIRE(wire::send_record(socket, garbage, sizeof garbage));
        wire::Reply reply;
        REQUIRE(wire::receive_record(socket, &reply, sizeof reply));
        CHECK(reply.status == Status::malformed);
    }
    good_session(place.connect());
    CHECK(privd.exit_code() == 0);
}

TEST_CASE("a kernel without BTF is named as such") {
    Socket place;
    Privd privd(place.words(), hide_btf);
    auto session = wire::client::open_session(place.connect(), small());
    REQUIRE(session);
    CHECK(wire::client::describe(session->reply).find("no BTF") != std::string::npos);
}

TEST_CASE("the classic driver takes another probe from the environment, and types from a file") {
    RootsFile object(CLASSIC_OBJECT), types("/sys/kernel/btf/vmlinux");
    for (const std::string& probe : {std::string(), object.path}) {
        CAPTURE(probe);
        Socket place;
        Words words = place.words();
        words.insert(words.end(), {"--driver", "classic_bpf", "--btf", types.path});
        Privd privd(words, [&] {
            hide_btf();
            setenv("TIERCEL_BPF_PROBE", probe.c_str(), 1);
        });
        os::UniqueFd socket = place.connect();
        good_session(socket);
    }
}

TEST_CASE("what others than root can change is not loaded") {
    RootsFile object(CLASSIC_OBJECT);
    const auto refused = [](const std::string& path, const char* variable) {
        Words words = {"--socket", "/nonexistent/s", "--driver", "classic_bpf"};
        if (!variable)
            words.insert(words.end(), {"--btf", path});
        Socket place;
        words[1] = place.path;
        Privd privd(words, [&] {
            if (variable)
                setenv(variable, path.c_str(), 1);
        });
        CHECK(privd.exit_code() == 1);
        return privd.output().find("others than root") != std::string::npos;
    };
    const std::string link = object.directory + "/link";
    REQUIRE(symlink(object.path.c_str(), link.c_str()) == 0);
    for (const char* variable : {"TIERCEL_BPF_PROBE", static_cast<const char*>(nullptr)}) {
        CHECK(refused("relative", variable));
        CHECK(refused("/nonexistent/file", variable));
        CHECK(refused("/tmp/file", variable)); // every user may write to /tmp
        CHECK(refused(link, variable));
        REQUIRE(chmod(object.path.c_str(), 0664) == 0);
        CHECK(refused(object.path, variable));
        REQUIRE((chmod(object.path.c_str(), 0644) == 0 && chown(object.path.c_str(), 1, 0) == 0));
        CHECK(refused(object.path, variable));
        REQUIRE(
            (chown(object.path.c_str(), 0, 0) == 0 && chmod(object.directory.c_str(), 0777) == 0));
        CHECK(refused(object.path, variable));
        REQUIRE(chmod(object.directory.c_str(), 0755) == 0);
    }
    unlink(link.c_str());
}

TEST_CASE("a missing capability is named") {
    // As an ordinary user without ambient capabilities.
    Socket other;
    chmod(other.directory.c_str(), 0777);
    Privd poor({"--socket", other.path, "--peer-user", "root"}, [] {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(126);
    });
    auto session = wire::client::open_session(other.connect(), small());
    REQUIRE(session);
    CHECK(wire::client::describe(session->reply).find("CAP_BPF and CAP_PERFMON") !=
          std::string::npos);
}

TEST_CASE("--exec gives the command's exit code and the command no privilege") {
    Privd fails({"--user", "nobody", "--exec", "--", "/bin/sh", "-c", "exit 42"});
    CHECK(fails.exit_code() == 42);
    Privd shows({"--user", "nobody", "--exec", "--", "/bin/cat", "/proc/self/status"});
    CHECK(shows.exit_code() == 0);
    std::string status = shows.output();
    for (const char* line :
         {"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
          "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
          "Uid:\t65534\t65534\t65534\t65534"})
        CHECK_MESSAGE(status.find(line) != std::string::npos, line);
    Privd nothing({"--exec", "--", "/nonexistent"});
    CHECK(nothing.exit_code() == 1);
}

TEST_CASE("usage errors are 2, with one line") {
    for (const Words& words :
         {Words{"--nonsense"}, Words{"--exec"}, Words{"stray"}, Words{"--socket"},
          Words{"--prove-caps", "--driver", "nonsense"}, Words{"--json"}}) {
        Privd privd(words);
        CHECK(privd.exit_code() == 2);
        CHECK(privd.output().starts_with("privd: "));
    }
    Privd unknown({"--user", "no-such-user-here", "--socket", "/tmp/x"});
    CHECK(unknown.exit_code() == 1);
    Privd no_socket(Words{});
    CHECK(no_socket.exit_code() == 1);
    Privd version({"--version"});
    CHECK(version.exit_code() == 0);
}

TEST_CASE("the kernel agrees with the plan") {
    for (const char* driver : {"modern_bpf", "classic_bpf"}) {
        Privd privd({"--prove-caps", "--driver", driver, "--user", "nobody"});
        CHECK_MESSAGE(privd.exit_code() == 0, privd.output());
    }
}

int main(int argc, char** argv) {
    if (geteuid() != 0) {
        puts("SKIPPED: privd with the kernel: needs root");
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
