// SPDX-License-Identifier: Apache-2.0
#include "ptrace/session.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "kernel/common/abi.h"
#include "ptrace/seccomp_filter.h"
#include "ptrace/server.h"
#include "ptrace/tracer.h"

namespace tiercel::ptrace {

namespace {

constexpr unsigned kPatienceMs = 2000; // how long the peer may take to show the last events

void configure(const wire::Request& request) {
    static tiercel_config config;
    std::copy_n(request.interest, wire::kInterestWords, config.interest);
    config.filter = request.filter;
    timespec real{}, boot{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const std::int64_t since_epoch =
        (real.tv_sec - boot.tv_sec) * std::int64_t{1'000'000'000} + (real.tv_nsec - boot.tv_nsec);
    config.boot_time_ns = static_cast<__u64>(since_epoch);
    config.snaplen = request.snaplen;
    config.args_max = request.args_max;
    config.tracepoints = request.tracepoints;
    tiercel_session_config = &config;
}

// Waits for stops of traced threads, signals to this process and the end of the reader.
// PTRACE_EVENT stops send SIGCHLD to the tracer even if it is not the thread's parent.
class Waiter {
  public:
    explicit Waiter(bool catch_ends) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        for (int end : {SIGINT, SIGTERM, SIGHUP})
            if (catch_ends)
                sigaddset(&set, end);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        signal(SIGCHLD, SIG_DFL); // an inherited SIG_IGN would drop the signal that we wait for
        signal(SIGPIPE, SIG_IGN);
        signals_ = os::UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }

    struct Woken {
        bool reader_gone = false, told_to_end = false;
    };
    Woken wait(const os::UniqueFd& pipe) {
        pollfd polled[] = {{signals_.get(), POLLIN, 0}, {pipe.get(), 0, 0}};
        poll(polled, 2, -1);
        Woken woken{.reader_gone = (polled[1].revents & POLLERR) != 0};
        signalfd_siginfo info{};
        while (read(signals_.get(), &info, sizeof info) == sizeof info)
            woken.told_to_end = woken.told_to_end || info.ssi_signo != SIGCHLD;
        return woken;
    }

  private:
    os::UniqueFd signals_;
};

class Session {
  public:
    Session(Peer& peer, Output output, bool filtered, bool signals)
        : peer_(peer), output_(std::move(output)),
          tracer_(output_,
                  {.filtered = filtered,
                   .signals = signals,
                   .before_last_exit =
                       [this, filtered] {
                           output_.close();
                           if (filtered) // the events are shown before the parent's next prompt
                               wait_for(peer_, kPatienceMs);
                       }}),
          waiter_(!filtered), filtered_(filtered) {}

    os::Result<void> begin(const wire::Request& request, Target& target, std::uint64_t began_ns) {
        auto seized = filtered_ ? tracer_.seize(target.pid) : tracer_.seize_process(target.pid);
        if (!seized) {
            refuse(peer_.socket, seized.error().number);
            return seized;
        }
        auto snapshot = take_snapshot(target.pid, filtered_);
        if (!snapshot)
            return snapshot.error();
        if (auto given = hand_over(peer_.socket, request, output_, *snapshot, began_ns); !given)
            return given;
        output_.handed_over();
        return filtered_ ? target.start(target.control, make_filter(request.interest))
                         : os::Result<void>();
    }

    // Runs until the last traced thread has ended or is detached. Returns the peer's wait status,
    // if it is known.
    int run() {
        while (drain() && !tracer_.empty()) {
            const auto woken = waiter_.wait(output_.pipe());
            if (woken.reader_gone)
                output_.close();
            if (!filtered_ && (woken.told_to_end || woken.reader_gone))
                tracer_.detach();
        }
        output_.close();
        if (peer_status_ == -1)
            peer_status_ = wait_for(peer_, kPatienceMs);
        return peer_status_;
    }

  private:
    // Handles all pending stops.
    bool drain() {
        int status = 0;
        for (pid_t tid; (tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
            if (tid == peer_.child) {
                peer_.child = 0;
                peer_status_ = status;
            } else {
                tracer_.on_status(tid, status);
            }
            if (tracer_.empty())
                break;
        }
        return true;
    }

    Peer& peer_;
    Output output_;
    Tracer tracer_;
    Waiter waiter_;
    bool filtered_;
    int peer_status_ = -1;
};

} // namespace

os::Result<int> run_session(Peer peer, Target target) {
    const std::uint64_t began_ns = monotonic_ns();
    auto request = receive_request(peer.socket);
    if (!request) {
        wait_for(peer, kPatienceMs); // the peer says why before the next prompt
        return request.error();
    }
    configure(*request);
    auto output = Output::create(request->ring_bytes);
    if (!output)
        return output.error();
    Session session(peer, std::move(*output), target.waits,
                    (request->tracepoints & TIERCEL_TP_SIGNAL) != 0);
    if (auto begun = session.begin(*request, target, began_ns); !begun) {
        wait_for(peer, kPatienceMs);
        return begun.error();
    }
    const int status = session.run();
    return status == -1 || status == 0 ? 0 : 1;
}

} // namespace tiercel::ptrace
