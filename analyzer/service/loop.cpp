// SPDX-License-Identifier: Apache-2.0
//
// The loop on Boost.Asio: the pauses between reads, the wakeups of rings, signals and timers.
#include "analyzer/service/loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>

namespace tiercel::app {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// How many bytes a pause should collect: few enough to be in the cache when they are read.
constexpr std::size_t kMuch = 512 << 10, kLittle = 128 << 10;

// Returns one epoll set for all rings. It is edge-triggered, so that it becomes ready when the
// probe wakes its readers, and not already because a ring has data. Asio's own registration would
// become ready in both cases.
int make_wakeups(std::span<const os::UniqueFd> waited_for) {
    os::UniqueFd set(epoll_create1(EPOLL_CLOEXEC));
    if (!set.valid())
        throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
    for (const os::UniqueFd& fd : waited_for) {
        epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {.fd = fd.get()}};
        if (epoll_ctl(set.get(), EPOLL_CTL_ADD, fd.get(), &interest) != 0)
            throw boost::system::system_error(errno, boost::system::system_category(), "epoll_ctl");
    }
    return set.release();
}

// Takes the edges of `set`, of whichever rings they are. Empties pipes, so that the next byte is an
// edge again. Returns false if the driver at the other end of a pipe has ended.
bool take_edges(int set, bool pipes) {
    constexpr int kMost = 16;
    epoll_event event[kMost];
    bool alive = true;
    for (int got = kMost; got == kMost;) {
        got = epoll_wait(set, event, kMost, 0);
        for (int i = 0; pipes && i < got; ++i) {
            char bytes[256];
            while (::read(event[i].data.fd, bytes, sizeof bytes) > 0) {
            }
            alive = alive && (event[i].events & EPOLLHUP) == 0;
        }
    }
    return alive;
}

} // namespace

std::chrono::milliseconds next_pause(std::chrono::milliseconds last, std::size_t bytes,
                                     std::size_t ring_bytes) {
    if (bytes >= std::max<std::size_t>(ring_bytes / 8, 1))
        return std::chrono::milliseconds(0);
    last = std::max(last, Loop::kShortest);
    if (bytes > kMuch)
        return std::max(last / 2, Loop::kShortest);
    return bytes > kLittle ? last : std::min(last * 2, Loop::kLongest);
}

struct Loop::Impl {
    asio::io_context io{1};
    asio::signal_set ends{io, SIGINT, SIGTERM};
    asio::signal_set others{io, SIGUSR1, SIGHUP};
    asio::steady_timer pause{io}, deadline{io};
    asio::posix::stream_descriptor wakeups;
    bool pipes;
    std::size_t ring_bytes;
    Callbacks callbacks;
    std::chrono::milliseconds last_pause = kShortest;
    bool armed = false, reading = false;

    Impl(std::span<const os::UniqueFd> waited_for, bool are_pipes, std::size_t bytes,
         Callbacks calls)
        : wakeups(io, make_wakeups(waited_for)), pipes(are_pipes), ring_bytes(bytes),
          callbacks(std::move(calls)) {
        wakeups.non_blocking(true); // else Asio does it at the first wait, by ioctl(2)
    }

    void read() {
        reading = false;
        const std::size_t bytes = callbacks.read();
        if (io.stopped())
            return;
        const auto length = next_pause(last_pause, bytes, ring_bytes);
        if (length.count() == 0)
            return read_soon();
        last_pause = length;
        pause.expires_after(length);
        pause.async_wait([this](error_code cancelled) {
            if (!cancelled)
                read_soon();
        });
        arm();
    }

    void read_soon() {
        if (std::exchange(reading, true))
            return;
        pause.cancel();
        asio::post(io, [this] { read(); });
    }

    void arm() {
        if (std::exchange(armed, true))
            return;
        wakeups.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code cancelled) {
            armed = false;
            if (cancelled)
                return;
            if (!take_edges(wakeups.native_handle(), pipes))
                return io.stop(); // the caller of run() reads once more
            read_soon();
        });
    }

    struct Watched {
        asio::posix::stream_descriptor fd;
        std::function<bool()> ready;
    };
    struct Repeated {
        asio::steady_timer timer;
        std::chrono::seconds time;
        std::function<void()> then;
    };
    std::deque<Watched> watched; // addresses stay
    std::deque<Repeated> repeated;

    void wait_for(Watched& one) {
        one.fd.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, &one](error_code cancelled) {
                              if (!cancelled && one.ready())
                                  wait_for(one);
                          });
    }

    void repeat(Repeated& one) {
        one.timer.expires_after(one.time);
        one.timer.async_wait([this, &one](error_code cancelled) {
            if (cancelled)
                return;
            one.then();
            repeat(one);
        });
    }

    void watch_others() {
        others.async_wait([this](error_code cancelled, int signal) {
            if (cancelled)
                return;
            signal == SIGHUP ? callbacks.reopen() : callbacks.report();
            watch_others();
        });
    }
};

Loop::Loop(std::span<const os::UniqueFd> wakeups, bool pipes, std::size_t ring_bytes,
           std::uint64_t seconds, Callbacks callbacks)
    : impl_(std::make_unique<Impl>(wakeups, pipes, ring_bytes, std::move(callbacks))) {
    std::signal(SIGPIPE, SIG_IGN); // a write says EPIPE instead
    const auto end = [this](error_code cancelled) {
        if (!cancelled)
            stop();
    };
    impl_->ends.async_wait([end](error_code cancelled, int) { end(cancelled); });
    impl_->watch_others();
    if (seconds > 0) {
        impl_->deadline.expires_after(std::chrono::seconds(seconds));
        impl_->deadline.async_wait(end);
    }
}

Loop::~Loop() = default;

void Loop::watch(const os::UniqueFd& fd, std::function<bool()> ready) {
    // Asio closes the descriptor.
    auto& one = impl_->watched.emplace_back(Impl::Watched{
        asio::posix::stream_descriptor(impl_->io, fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)),
        std::move(ready)});
    one.fd.non_blocking(true); // else Asio does it at the first wait, by ioctl(2)
    impl_->wait_for(one);
}

void Loop::every(std::chrono::seconds time, std::function<void()> then) {
    impl_->repeat(impl_->repeated.emplace_back(
        Impl::Repeated{asio::steady_timer(impl_->io), time, std::move(then)}));
}

void Loop::run() {
    impl_->read_soon();
    impl_->io.run();
}

void Loop::stop() {
    impl_->io.stop();
}

} // namespace tiercel::app
