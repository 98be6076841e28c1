// SPDX-License-Identifier: Apache-2.0
//
// The smallest driver, written from docs/DRIVER-CONTRACT.md without a line of this project. It
// starts an analyzer, sends one thread and enough events to wrap the ring several times, and ends.
// Usage: example_driver EVENTS ANALYZER [ARGUMENT]...
#include <err.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

void must(bool good, const char* what) {
    if (!good)
        err(1, "%s", what);
}

template <typename T>
std::string number(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string text(const std::string& value) {
    return value + '\0';
}

std::string event(u16 code, u64 tid, const std::vector<std::string>& params) {
    std::string lengths, values;
    for (const std::string& param : params) {
        lengths += number(static_cast<u16>(param.size()));
        values += param;
    }
    const std::chrono::nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
    const auto length = static_cast<u32>(26 + lengths.size() + values.size());
    return number(static_cast<u64>(now.count())) + number(tid) + number(length) + number(code) +
           number(static_cast<u32>(params.size())) + lengths + values;
}

enum Type : u16 { REPLY = 3, FDS = 4, DONE = 5 };
enum Kind : u32 { RING = 0, COUNTERS = 1, ITER_TASK = 3, WAKEUP = 5 };

// The part of a message behind its header consists of 32-bit words.
void send(int socket, Type type, const std::vector<u32>& words, int fd = -1) {
    std::string message = number(u32{0x4c435254}) + number(u16{7}) + number(u16{type});
    for (const u32 word : words)
        message += number(word);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    iovec part{message.data(), message.size()};
    msghdr record{nullptr, 0, &part, 1, control, fd < 0 ? 0 : CMSG_LEN(sizeof fd), 0};
    if (cmsghdr* rights = CMSG_FIRSTHDR(&record)) {
        *rights = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    must(sendmsg(socket, &record, MSG_NOSIGNAL) > 0, "send a message");
}

struct Memory {
    Memory(const char* name, std::size_t bytes) : fd(memfd_create(name, MFD_CLOEXEC)) {
        must(fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0, name);
        base = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        must(base != MAP_FAILED, name);
    }
    auto& word(std::size_t at) { return *reinterpret_cast<std::atomic<u64>*>(base + at); }
    int fd;
    char* base;
};

struct Ring {
    std::size_t size, page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    Memory memory{"ring", 2 * page + 2 * size}; // consumer page, producer page, data, data again
    u64 position = 0;

    bool put(const std::string& event) {
        const std::string record = event + number(u16{0}); // the CPU: 0 for not known
        const std::size_t needed = (8 + record.size() + 7) / 8 * 8;
        const std::size_t to_end = size - position % size; // no record may wrap
        const std::size_t skipped = needed > to_end ? to_end : 0;
        if (position - memory.word(0) + skipped + needed >= size)
            return false;
        if (skipped > 0)
            write(number(static_cast<u32>(skipped - 8) | 1u << 30), 0);
        position += skipped;
        write(number(static_cast<u64>(record.size())), 0);
        write(record, 8);
        position += needed;
        memory.word(page) = position;
        return true;
    }
    void write(const std::string& bytes, std::size_t offset) {
        std::memcpy(memory.base + 2 * page + position % size + offset, bytes.data(), bytes.size());
    }
};

} // namespace

int main(int argc, char** argv) {
    must(argc > 2, "usage: example_driver EVENTS ANALYZER [ARGUMENT]...");
    int ends[2], pipe[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "make a socket pair");
    if (fork() != 0) { // this process becomes the analyzer, its child is the driver
        setenv("TIERCEL_PRIVD_FD", std::to_string(ends[1]).c_str(), 1);
        must(close(ends[0]) == 0 && (geteuid() != 0 || setuid(65534) == 0), "give root up");
        must(execv(argv[2], argv + 2) == 0, argv[2]);
    }
    must(close(ends[1]) == 0 && pipe2(pipe, O_NONBLOCK | O_CLOEXEC) == 0, "make a pipe");
    u32 request[1242] = {}; // magic; version and type; driver; attach; ring_bytes; ...
    must(recv(ends[0], request, sizeof request, 0) == sizeof request, "receive the request");
    must(request[0] == 0x4c435254 && request[1] == (1u << 16 | 7), "understand the request");
    Ring ring{.size = request[4]};
    Memory counters("counters", 64);
    constexpr u64 kTid = 4711;
    std::vector<std::string> params(
        32); // of ITER_TASK; a parameter that the driver does not know is empty
    params[4] = text("example");
    params[5] = text("example --contract");
    params[6] = text("/usr/bin/example");
    const std::string task = event(430, kTid << 32 | kTid, params); // process and thread
    Memory tasks("tasks", task.size());
    std::memcpy(tasks.base, task.data(), task.size());
    // status, error, detail (2); driver, attach, ring_count, ring_bytes, cpus; fds[6]; door; times;
    // boot_time_ns and held[4], which stay 0: another driver's rings never follow, and this one has
    // no capability
    std::vector<u32> reply{0, 0, 0, 0, 4, 0, 1, request[4], 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0};
    reply.resize(38);
    send(ends[0], REPLY, reply);
    send(ends[0], FDS, {RING, 0, 1}, ring.memory.fd);
    send(ends[0], FDS, {COUNTERS, 0, 1}, counters.fd);
    send(ends[0], FDS, {ITER_TASK, 0, 1}, tasks.fd);
    send(ends[0], FDS, {WAKEUP, 0, 1}, pipe[0]);
    send(ends[0], DONE, {});
    for (long left = std::atol(argv[1]); left > 0; --left) {
        params.assign(7, ""); // of openat: fd, directory, name, flags, mode; no device and inode
        params[0] = number(u64{3});
        params[1] = number(std::int64_t{-100});
        params[2] = text("/etc/file" + std::to_string(left));
        params[3] = params[4] = number(u32{1});
        while (!ring.put(
            event(307, kTid, params))) { // a real driver would count a drop instead of waiting
            must(write(pipe[1], "", 1) == 1 || errno == EAGAIN, "wake the analyzer");
            usleep(1000);
        }
        ++counters.word(0);
    }
} // closes the last writing end of the pipe: no more events
