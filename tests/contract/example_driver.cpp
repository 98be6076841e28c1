// SPDX-License-Identifier: Apache-2.0
//
// The smallest driver: it follows docs/DRIVER-CONTRACT.md and uses no line of this project. It
// starts an analyzer, gives it a thread and so many events that the ring wraps several times, and
// ends.
//
// Usage: example_driver EVENTS ANALYZER [ARGUMENT]...
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

struct Header {
    std::uint32_t magic = 0x4c435254;
    std::uint16_t version = 2, type = 0;
};
struct Request {
    Header header;
    std::uint32_t driver, attach, ring_bytes, cpus_per_ring, snaplen, tracepoints;
    std::uint64_t interest[8];
};
struct Reply {
    Header header{.type = 3};
    std::uint32_t status = 0, error = 0;
    std::uint64_t detail = 0;
    std::uint32_t driver = 4, attach = 0, ring_count = 1, ring_bytes = 0, cpus = 1;
    std::uint32_t fds[6] = {1, 1, 0,
                            1, 0, 1}; // ring, counters, link, iter_task, iter_task_file, wakeup
    std::uint32_t door = 0;
    std::uint64_t load_begin_ns = 0, load_ns = 0;
};
struct Fds {
    Header header{.type = 4};
    std::uint32_t kind, first = 0, count = 1;
};
struct Done {
    Header header{.type = 5};
};
static_assert(sizeof(Request) == 96 && sizeof(Reply) == 88 && sizeof(Fds) == 20);

void must(bool good, const char* what) {
    if (good)
        return;
    std::perror(what);
    std::exit(1);
}

// One event: header, lengths, values.
class Event {
  public:
    Event(std::uint16_t type, std::uint64_t tid) : type_(type), tid_(tid) {}

    template <typename T>
    Event& number(T value) {
        return bytes(std::string(reinterpret_cast<const char*>(&value), sizeof value));
    }
    Event& text(const std::string& value) { return bytes(value + '\0'); }
    Event& none(int count = 1) { return count == 0 ? *this : bytes("").none(count - 1); }

    [[nodiscard]] std::string finish() const {
        timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        const auto ts = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                        static_cast<std::uint64_t>(now.tv_nsec);
        const auto length = static_cast<std::uint32_t>(26 + lengths_.size() + values_.size());
        Event header(0, 0);
        header.number(ts).number(tid_).number(length).number(type_).number(
            static_cast<std::uint32_t>(lengths_.size() / 2));
        return header.values_ + lengths_ + values_;
    }

  private:
    Event& bytes(const std::string& value) {
        const auto length = static_cast<std::uint16_t>(value.size());
        lengths_.append(reinterpret_cast<const char*>(&length), sizeof length);
        values_ += value;
        return *this;
    }
    std::uint16_t type_;
    std::uint64_t tid_;
    std::string lengths_, values_;
};

int memory(const char* name, std::size_t bytes) {
    const int fd = memfd_create(name, MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0, name);
    return fd;
}

struct Ring {
    std::size_t size, page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    int fd = memory("ring", 2 * page + 2 * size);
    char* base = static_cast<char*>(
        mmap(nullptr, 2 * page + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    std::uint64_t position = 0;

    bool put(const std::string& event) {
        const std::string record = event + std::string(2, '\0'); // the CPU: not known
        const std::size_t needed = (8 + record.size() + 7) / 8 * 8;
        const std::size_t to_end = size - position % size;
        const std::size_t skipped = needed > to_end ? to_end : 0;
        const auto taken = reinterpret_cast<std::atomic<std::uint64_t>*>(base)->load();
        if (position - taken + needed + skipped >= size)
            return false;
        if (skipped > 0)
            header(static_cast<std::uint32_t>(skipped - 8) | 1u << 30);
        position += skipped;
        header(static_cast<std::uint32_t>(record.size()));
        std::memcpy(base + 2 * page + position % size + 8, record.data(), record.size());
        position += needed;
        reinterpret_cast<std::atomic<std::uint64_t>*>(base + page)->store(position);
        return true;
    }
    void header(std::uint32_t word) {
        const std::uint64_t whole = word;
        std::memcpy(base + 2 * page + position % size, &whole, sizeof whole);
    }
};

template <typename Message>
void send_with(int socket, const Message& message, int fd = -1) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    iovec part{const_cast<Message*>(&message), sizeof message};
    msghdr all{nullptr, 0, &part, 1, control, fd < 0 ? 0 : CMSG_LEN(sizeof fd), 0};
    if (cmsghdr* rights = CMSG_FIRSTHDR(&all)) {
        *rights = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    must(sendmsg(socket, &all, MSG_NOSIGNAL) == sizeof message, "send");
}

} // namespace

int main(int argc, char** argv) {
    must(argc > 2, "usage: example_driver EVENTS ANALYZER [ARGUMENT]...");
    int ends[2], pipe[2], status = 0;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0 &&
             pipe2(pipe, O_NONBLOCK | O_CLOEXEC) == 0,
         "make a socket pair");
    const pid_t analyzer = fork();
    if (analyzer == 0) {
        close(ends[0]);
        setenv("TIERCEL_PRIVD_FD", std::to_string(ends[1]).c_str(), 1);
        must(geteuid() != 0 || setuid(65534) == 0, "give root up");
        execv(argv[2], argv + 2);
        must(false, argv[2]);
    }
    close(ends[1]);
    Request request{};
    must(recv(ends[0], &request, sizeof request, 0) == sizeof request, "receive the request");
    Ring ring{.size = request.ring_bytes};
    const int counters = memory("counters", 64), tasks = memory("tasks", 0);
    auto* counted = static_cast<std::uint64_t*>(
        mmap(nullptr, 64, PROT_READ | PROT_WRITE, MAP_SHARED, counters, 0));
    constexpr std::uint64_t tid = 4711; // an ITER_TASK event carries process and thread
    const std::string task = Event(430, tid << 32 | tid)
                                 .number(std::uint32_t{1})
                                 .none(3)
                                 .text("example")
                                 .text("example --contract")
                                 .text("/usr/bin/example")
                                 .none(25)
                                 .finish();
    must(write(tasks, task.data(), task.size()) > 0 && lseek(tasks, 0, SEEK_SET) == 0, "tasks");
    send_with(ends[0], Reply{.ring_bytes = request.ring_bytes});
    send_with(ends[0], Fds{.kind = 0}, ring.fd);
    send_with(ends[0], Fds{.kind = 1}, counters);
    send_with(ends[0], Fds{.kind = 3}, tasks);
    send_with(ends[0], Fds{.kind = 5}, pipe[0]);
    send_with(ends[0], Done{});
    for (long left = std::atol(argv[1]); left > 0; --left) {
        const std::string event = Event(307, tid) // openat
                                      .number(std::uint64_t{3})
                                      .number(std::int64_t{-100})
                                      .text("/etc/file" + std::to_string(left))
                                      .number(std::uint32_t{1})
                                      .number(std::uint32_t{0})
                                      .none(2)
                                      .finish();
        while (!ring.put(event)) { // a real driver would count counted[1] up instead of waiting
            must(write(pipe[1], "", 1) == 1 || errno == EAGAIN, "wake the analyzer");
            usleep(1000);
        }
        ++counted[0];
    }
    close(pipe[1]); // no more comes
    must(waitpid(analyzer, &status, 0) == analyzer, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
