// SPDX-License-Identifier: Apache-2.0
//
// Programs are started by a child of the courier, the launcher, which is forked before the courier
// gives up exec. The launcher parses nothing: it takes an alert behind its length, and answers with
// the program's exit code. Landlock lets the programs write no file but devices.
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "courier/destinations/destinations.h"
#include "policy/privilege/landlock.h"
#include "shared/os/close.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

namespace {

// Both return false at the end of the stream.
bool read_exactly(int fd, void* buffer, std::size_t size) {
    for (auto* bytes = static_cast<char*>(buffer); size > 0;) {
        const ssize_t got = ::read(fd, bytes, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_exactly(int fd, const void* buffer, std::size_t size) {
    for (const auto* bytes = static_cast<const char*>(buffer); size > 0;) {
        const ssize_t sent = ::write(fd, bytes, size);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

// The launcher's side.
class Launcher {
  public:
    Launcher(os::UniqueFd socket, std::string command, bool keep)
        : socket_(std::move(socket)), command_(std::move(command)), keep_(keep) {}

    [[noreturn]] void run() {
        std::uint32_t size = 0;
        std::string alert;
        while (read_exactly(socket_.get(), &size, sizeof size)) {
            alert.resize(size);
            if (!read_exactly(socket_.get(), alert.data(), size))
                break;
            alert += '\n';
            const int code = keep_ ? hand_over(alert) : start_for(alert);
            if (!write_exactly(socket_.get(), &code, sizeof code))
                break;
        }
        _exit(0);
    }

  private:
    // Starts the program with a pipe as standard input. Returns the pipe's other end.
    os::UniqueFd start() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return {};
        const os::UniqueFd input(ends[0]);
        os::UniqueFd output(ends[1]);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
        std::string shell = "sh", option = "-c", command = command_;
        char* const arguments[] = {shell.data(), option.data(), command.data(), nullptr};
        const int failure = posix_spawn(&child_, "/bin/sh", &actions, nullptr, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        return failure == 0 ? std::move(output) : os::UniqueFd();
    }

    int wait() const {
        int status = 0;
        while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    int start_for(const std::string& alert) {
        os::UniqueFd input = start();
        if (!input.valid())
            return 127;
        write_exactly(input.get(), alert.data(), alert.size()); // a program need not read it
        input.reset();
        return wait();
    }

    int hand_over(const std::string& alert) {
        if (!kept_.valid())
            kept_ = start();
        if (!kept_.valid())
            return 127;
        if (write_exactly(kept_.get(), alert.data(), alert.size()))
            return 0;
        kept_.reset();
        return wait() | 1; // it has ended without being asked to: no success
    }

    os::UniqueFd socket_;
    std::string command_;
    bool keep_;
    pid_t child_ = -1;
    os::UniqueFd kept_;
};

class Program : public Destination {
  public:
    explicit Program(os::UniqueFd launcher) : launcher_(std::move(launcher)) {}

    Sent send(std::span<const Record> records) override {
        for (std::size_t i = 0; i < records.size(); ++i) {
            const std::string_view text = records[i].text;
            const auto size = static_cast<std::uint32_t>(text.size());
            int code = 0;
            if (!write_exactly(launcher_.get(), &size, sizeof size) ||
                !write_exactly(launcher_.get(), text.data(), text.size()) ||
                !read_exactly(launcher_.get(), &code, sizeof code))
                return {i, Sent::Outcome::retry, "the launcher of programs has ended"};
            if (code != 0)
                return {i, Sent::Outcome::retry,
                        "the program's exit code is " + std::to_string(code)};
        }
        return {records.size(), Sent::Outcome::done, ""};
    }

  private:
    os::UniqueFd launcher_;
};

// Programs may read and start what their account may, and write to devices such as /dev/null.
os::Result<int> confine_programs() {
    const os::UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const os::UniqueFd devices(open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const policy::Beneath allowed[] = {{root.get(), policy::kReadFiles | policy::kExecute},
                                       {devices.get(), policy::kReadFiles | policy::kWriteFiles}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return os::error("give up", "new privileges");
    return policy::restrict_by_landlock(allowed, policy::Network::connect);
}

} // namespace

// Forks, so that it must be called while the courier has a single thread.
Made make_program(const Options& options) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return {nullptr, "cannot make a channel to the launcher of programs"};
    os::UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return {nullptr, "cannot start the launcher of programs"};
    if (child == 0) {
        os::close_all_but(theirs.get(), STDERR_FILENO + 1);
        prctl(PR_SET_NAME, "launcher", 0, 0, 0);
        std::signal(SIGPIPE, SIG_IGN);
        if (auto confined = confine_programs(); !confined) {
            os::print("tiercel-courier", confined.error(), "");
            _exit(1);
        }
        Launcher(std::move(theirs), options.text("program"), options.flag("keep_alive")).run();
    }
    return {std::make_unique<Program>(std::move(ours)), ""};
}

} // namespace tiercel::courier
