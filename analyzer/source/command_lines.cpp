// SPDX-License-Identifier: Apache-2.0
//
// Implements CommandLines: the reading child, and the parent that waits for it with deadlines.
#include "analyzer/source/command_lines.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <span>
#include <vector>

#include "analyzer/source/proc_numbers.h"
#include "shared/os/file.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

namespace {

using Clock = std::chrono::steady_clock;

// What the child sends for each process, followed by `length` bytes.
struct Answer {
    std::int32_t pid;
    std::uint32_t length;
};

[[noreturn]] void read_all(std::span<const std::int32_t> pids, int pipe) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const std::int32_t pid : pids) {
        std::array<char, sizeof(Answer) + CommandLines::kLongest> message{};
        const std::string path = "/proc/" + std::to_string(pid) + "/cmdline";
        const os::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        const ssize_t got = file.valid() ? ::read(file.get(), message.data() + sizeof(Answer),
                                                  CommandLines::kLongest)
                                         : 0;
        const Answer answer{pid, got > 0 ? static_cast<std::uint32_t>(got) : 0};
        std::memcpy(message.data(), &answer, sizeof answer);
        const std::size_t size = sizeof answer + answer.length;
        if (write(pipe, message.data(), size) != static_cast<ssize_t>(size))
            break;
    }
    _exit(0);
}

// Takes the exit statuses of killed children, so that they do not stay as zombies. After the
// deadline, a child that the kernel does not let go is left to itself.
void reap(std::span<const pid_t> killed) {
    const auto deadline = Clock::now() + CommandLines::kReap;
    for (const pid_t child : killed)
        while (waitpid(child, nullptr, WNOHANG) == 0 && Clock::now() < deadline)
            usleep(1000);
}

// A child that reads the files of some processes, in order. It is killed with this object, which
// adds it to `killed`.
class Reader {
  public:
    Reader(std::span<const std::int32_t> pids, std::vector<pid_t>& killed) : killed_(killed) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return;
        pipe_ = os::UniqueFd(ends[0]);
        const os::UniqueFd writer(ends[1]);
        child_ = fork();
        if (child_ == 0)
            read_all(pids, writer.get());
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
        if (child_ <= 0)
            return;
        kill(child_, SIGKILL);
        killed_.push_back(child_);
    }

    // Fills `out`, or returns false at the deadline or when the child has ended.
    bool take(std::span<char> out, Clock::time_point deadline) {
        while (!out.empty()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            pollfd waits{pipe_.get(), POLLIN, 0};
            if (left.count() <= 0 || poll(&waits, 1, static_cast<int>(left.count())) <= 0)
                return false;
            const ssize_t got = ::read(pipe_.get(), out.data(), out.size());
            if (got <= 0)
                return false;
            out = out.subspan(static_cast<std::size_t>(got));
        }
        return true;
    }

  private:
    std::vector<pid_t>& killed_;
    os::UniqueFd pipe_;
    pid_t child_ = -1;
};

} // namespace

CommandLines CommandLines::read() {
    CommandLines lines;
    const std::vector<std::int32_t> pids = numbers_in("/proc");
    const auto end = Clock::now() + kAll;
    std::vector<pid_t> killed;
    std::size_t next = 0, read = 0;
    while (next < pids.size() && Clock::now() < end) {
        Reader reader(std::span<const std::int32_t>(pids).subspan(next), killed);
        for (; next < pids.size(); ++next, ++read) {
            const auto deadline = std::min(end, Clock::now() + kEach);
            Answer answer{};
            if (!reader.take({reinterpret_cast<char*>(&answer), sizeof answer}, deadline) ||
                answer.length > kLongest)
                break;
            std::string text(answer.length, '\0');
            if (!reader.take(text, deadline))
                break;
            if (!text.empty())
                lines.texts_.emplace(answer.pid, std::move(text));
        }
        ++next; // past the process that blocked the child
    }
    reap(killed);
    lines.missed_ = pids.size() - read;
    return lines;
}

std::string_view CommandLines::find(std::int64_t pid) const {
    const auto found = texts_.find(pid);
    return found == texts_.end() ? std::string_view() : found->second;
}

} // namespace tiercel::app
