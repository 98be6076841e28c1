// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sink.h"

#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/privilege/seccomp.h"
#include "shared/os/unique_fd.h"

namespace tiercel::alerts {

namespace {

using os::UniqueFd;
using SinkResult = os::Result<std::unique_ptr<Sink>>;

// All of it, in as many pieces as it takes.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) { // somebody else made the terminal or pipe so
            const timespec pause{0, 1'000'000};
            nanosleep(&pause, nullptr);
            continue;
        }
        if (written <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool make_address(const std::string& path, sockaddr_un& address) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return false;
    path.copy(address.sun_path, path.size());
    return true;
}

// Line and end in one write, so that lines of several writers to one fd do not mix.
class FdSink : public Sink {
  public:
    FdSink(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}
    std::string name() const override { return name_; }
    bool write(std::string_view line, config::Priority) override {
        buffer_.assign(line);
        buffer_ += '\n';
        return send(buffer_);
    }

  protected:
    virtual bool send(std::string_view text) { return write_all(fd_.get(), text); }
    std::string name_;
    UniqueFd fd_;
    std::string buffer_;
};

// Standard output: where one write failed, the next would too.
class StdoutSink : public FdSink {
  public:
    explicit StdoutSink(UniqueFd fd) : FdSink("stdout", std::move(fd)) {}
    int gone() const override { return gone_; }

  private:
    bool send(std::string_view text) override {
        if (gone_ == 0 && !write_all(fd_.get(), text))
            gone_ = errno;
        return gone_ == 0;
    }
    int gone_ = 0;
};

constexpr int kFileFlags = policy::reopen_flags;

class FileSink : public FdSink {
  public:
    FileSink(const std::string& path, UniqueFd directory, std::string file, UniqueFd fd)
        : FdSink("file " + path, std::move(fd)), directory_(std::move(directory)),
          file_(std::move(file)) {}
    bool reopen() override {
        UniqueFd fresh(openat(directory_.get(), file_.c_str(), kFileFlags, policy::reopen_mode));
        if (!fresh.valid())
            return false;
        fd_ = std::move(fresh);
        return true;
    }
    int directory() const override { return directory_.get(); }

  private:
    UniqueFd directory_;
    std::string file_;
};

// A connection that has ended is not made again.
class StreamSink : public FdSink {
  public:
    using FdSink::FdSink;
    int gone() const override { return gone_; }

  private:
    bool send(std::string_view text) override {
        if (gone_ == 0 && !send_all(fd_.get(), text))
            gone_ = errno;
        return gone_ == 0;
    }
    int gone_ = 0;
};

class SyslogSink : public Sink {
  public:
    SyslogSink(std::string ident, UniqueFd fd) : ident_(std::move(ident)), fd_(std::move(fd)) {}
    std::string name() const override { return "syslog"; }
    bool write(std::string_view line, config::Priority priority) override {
        constexpr int kFacilityUser = 1 << 3;
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        localtime_r(&now, &parts);
        char when[32];
        strftime(when, sizeof when, "%b %e %T", &parts);
        std::string text = '<' + std::to_string(kFacilityUser | static_cast<int>(priority)) + '>' +
                           when + ' ' + ident_ + '[' + std::to_string(getpid()) + "]: ";
        text += line;
        return send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }

  private:
    std::string ident_;
    UniqueFd fd_;
};

} // namespace

SinkResult open_stdout() {
    UniqueFd fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid())
        return os::error("use standard output");
    return std::unique_ptr<Sink>(std::make_unique<StdoutSink>(std::move(fd)));
}

SinkResult open_file(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
    UniqueFd dirfd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!dirfd.valid())
        return os::error("open the directory of the alert file", path);
    UniqueFd fd(openat(dirfd.get(), file.c_str(), kFileFlags, policy::reopen_mode));
    if (!fd.valid())
        return os::error("open the alert file", path);
    return std::unique_ptr<Sink>(
        std::make_unique<FileSink>(path, std::move(dirfd), std::move(file), std::move(fd)));
}

SinkResult open_syslog(const std::string& ident, const std::string& path) {
    sockaddr_un address{};
    if (!make_address(path, address))
        return os::error("use the syslog socket", path, ENAMETOOLONG);
    UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return os::error("make a socket for syslog");
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return os::error("reach syslog", path);
    return std::unique_ptr<Sink>(std::make_unique<SyslogSink>(ident, std::move(fd)));
}

SinkResult open_unix_socket(const std::string& path) {
    sockaddr_un address{};
    if (!make_address(path, address))
        return os::error("use the alert socket", path, ENAMETOOLONG);
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() ||
        connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return os::error("connect to the alert socket", path);
    return std::unique_ptr<Sink>(std::make_unique<StreamSink>("socket " + path, std::move(fd)));
}

// A socket pair in place of a pipe: writing to a program that has ended must not raise SIGPIPE, and
// only sockets can be told so for each write.
SinkResult open_program(const std::string& command) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return os::error("make a channel to the alert program");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    shutdown(theirs.get(), SHUT_WR);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    char shell[] = "sh", option[] = "-c";
    std::string line = command;
    char* arguments[] = {shell, option, line.data(), nullptr};
    pid_t child = -1;
    const int failure = posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0)
        return os::error("start the alert program", command, failure);
    return std::unique_ptr<Sink>(
        std::make_unique<StreamSink>("program " + command, std::move(ours)));
}

} // namespace tiercel::alerts
