// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/mixed_events.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <string>

#include "analyzer/capture/blocks.h"
#include "tests/unit/rules/busy_server.h"
#include "tests/unit/state/event_builder.h"

namespace tiercel::bench {
namespace {

using namespace busy_server;
using test::EventBuilder;

constexpr std::size_t kProcesses = 64, kFds = 24;
constexpr std::int64_t kFirstPid = 1000;
constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;

using namespace std::string_view_literals; // which keep the zeros within a text
constexpr auto kCgroups =
    "cpuset=/\0cpu=/system.slice/work.service\0memory=/system.slice/work.service\0"sv;
constexpr auto kArguments = "--some\0--arguments\0of/usual length\0"sv;
constexpr auto kEnvironment = "PATH=/usr/bin:/bin\0HOME=/root\0LANG=C.UTF-8\0"sv;

class Workload {
  public:
    Workload() : fd_(memfd_create("mixed", MFD_CLOEXEC)) {
        std::string header;
        append(header, capture::kByteOrderMagic);
        append(header, std::uint16_t{1});
        append(header, std::uint16_t{2});
        append(header, UINT64_MAX);
        block(capture::SECTION_HEADER, header);
        for (std::size_t process = 0; process < kProcesses; ++process)
            exec(process);
    }

    void step() {
        const std::size_t process = random_() % kProcesses;
        auto dice = static_cast<unsigned>(random_() % 100);
        std::size_t kind = 0;
        while (dice >= kShares[kind].percent)
            dice -= kShares[kind++].percent;
        switch (kind) { // in the order of kShares
        case 0: transfer(process, event::SYSCALL_READ_X); break;
        case 1: transfer(process, event::SYSCALL_WRITE_X); break;
        case 2: open(process); break;
        case 3: close(process); break;
        case 4: generic(process, "futex"); break;
        case 5: write(at(process, event::SYSCALL_FSTAT_X).i64(0).i64(some_fd())); break;
        case 6: map(process); break;
        case 7: write(at(process, event::SYSCALL_EPOLLWAIT_X).i64(1).i64(64)); break;
        case 8: connect(process); break;
        case 9: clone(process); break;
        default: exec(process);
        }
    }

    std::uint64_t events() const { return events_; }
    os::UniqueFd finish() {
        flush();
        lseek(fd_.get(), 0, SEEK_SET);
        return std::move(fd_);
    }
    bool good() const { return good_; }

  private:
    template <typename T>
    static void append(std::string& out, T value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void block(std::uint32_t type, std::string content) {
        content.resize((content.size() + 3) / 4 * 4);
        const auto length = static_cast<std::uint32_t>(content.size() + 12);
        append(buffer_, type);
        append(buffer_, length);
        buffer_ += content;
        append(buffer_, length);
        if (buffer_.size() > (1 << 20))
            flush();
    }
    void flush() {
        good_ = good_ && ::write(fd_.get(), buffer_.data(), buffer_.size()) ==
                             static_cast<ssize_t>(buffer_.size());
        buffer_.clear();
    }
    EventBuilder at(std::size_t process, std::uint16_t code) {
        EventBuilder event(code);
        event.tid(static_cast<std::uint64_t>(pid(process))).ts(kStart + events_ * 1000);
        return event;
    }
    void write(EventBuilder& event) {
        std::string content;
        append(content, static_cast<std::uint16_t>(events_ % 4));
        const auto& raw = event.raw();
        content.append(reinterpret_cast<const char*>(raw.data()), raw.size());
        block(capture::EVENTS_V2, std::move(content));
        ++events_;
    }
    static std::int64_t pid(std::size_t process) {
        return kFirstPid + static_cast<std::int64_t>(process);
    }
    std::int64_t some_fd() { return 3 + static_cast<std::int64_t>(random_() % kFds); }
    const char* program(std::size_t process) const {
        return kPrograms[process % std::size(kPrograms)];
    }

    void transfer(std::size_t process, std::uint16_t code) {
        write(at(process, code).i64(40).bytes(kArguments).i64(some_fd()).u32(4096));
    }
    void open(std::size_t process) {
        constexpr std::uint32_t kRead = 1, kWrite = 2;
        const char* file = kFiles[random_() % std::size(kFiles)];
        write(at(process, event::SYSCALL_OPENAT_2_X)
                  .i64(some_fd())
                  .i64(-100)
                  .text(file)
                  .u32(random_() % 4 == 0 ? kWrite : kRead)
                  .u32(0)
                  .u32(0xfe00)
                  .u64(1234));
    }
    void close(std::size_t process) {
        write(at(process, event::SYSCALL_CLOSE_X).i64(0).i64(some_fd()));
    }
    void generic(std::size_t process, std::string_view call) {
        const event::SyscallInfo* info = event::find_syscall(call);
        write(at(process, event::GENERIC_X)
                  .u16(info->scap)
                  .u16(static_cast<std::uint16_t>(event::native_number(*info))));
    }
    void map(std::size_t process) {
        write(at(process, event::SYSCALL_MMAP_X)
                  .i64(0x7f0000000000)
                  .u32(10000)
                  .u32(2000)
                  .u32(0)
                  .u64(0)
                  .u64(65536)
                  .u32(3)
                  .u32(0x22)
                  .i64(-1)
                  .u64(0));
    }
    void connect(std::size_t process) {
        const std::int64_t fd = some_fd();
        write(at(process, event::SOCKET_SOCKET_X).i64(fd).u32(2).u32(1).u32(6).u32(0));
        std::string tuple("\x02\x0a\x01\x02\x03", 5), address("\x02\x5d\xb8\xd8\x22", 5);
        append(tuple, std::uint16_t{40000});
        tuple.append(address, 1, 4);
        append(tuple, std::uint16_t{443});
        append(address, std::uint16_t{443});
        write(at(process, event::SOCKET_CONNECT_X).i64(0).bytes(tuple).i64(fd).bytes(address));
    }
    // A child that does nothing but end.
    void clone(std::size_t process) {
        const std::int64_t child = 5000 + static_cast<std::int64_t>(events_ % 1000);
        for (const std::int64_t result : {child, std::int64_t{0}}) {
            const std::int64_t tid = result == 0 ? child : pid(process);
            EventBuilder event(event::SYSCALL_CLONE_20_X);
            event.tid(static_cast<std::uint64_t>(tid)).ts(kStart + events_ * 1000).i64(result);
            event.text(program(process)).bytes(kArguments).i64(tid).i64(tid);
            event.i64(result == 0 ? pid(process) : 1).text("").i64(1024).u64(0).u64(100);
            event.u32(10000).u32(2000).u32(0).text(program(process)).bytes(kCgroups);
            event.u32(0).u32(33).u32(33).i64(tid).i64(tid).u64(0);
            write(event);
        }
        EventBuilder end(event::PROCEXIT_1_E);
        end.tid(static_cast<std::uint64_t>(child)).ts(kStart + events_ * 1000);
        write(end.i64(0).i64(0).u8(0).u8(0).i64(1));
    }
    void exec(std::size_t process) {
        const std::string path = fmt::format("/usr/bin/{}", program(process));
        EventBuilder event = at(process, event::SYSCALL_EXECVE_19_X);
        event.i64(0).text(path).bytes(kArguments).i64(pid(process)).i64(pid(process));
        event.i64(process == 0 ? 1 : kFirstPid).text("/srv/").u64(1024).u64(0).u64(100);
        event.u32(10000).u32(2000).u32(0).text(program(process)).bytes(kCgroups);
        event.bytes(kEnvironment).u32(0).i64(pid(process)).u32(1000).u32(0);
        event.u64(0).u64(0).u64(0).u64(77).u64(kStart).u64(kStart).u32(33).text(path);
        write(event.i64(pid(process)).u32(33).text(path));
    }

    os::UniqueFd fd_;
    std::string buffer_;
    std::mt19937 random_{1};
    std::uint64_t events_ = 0;
    bool good_ = true;
};

} // namespace

os::UniqueFd mixed_capture(std::uint64_t events) {
    Workload workload;
    while (workload.events() < events)
        workload.step();
    os::UniqueFd file = workload.finish();
    return workload.good() ? std::move(file) : os::UniqueFd();
}

} // namespace tiercel::bench
