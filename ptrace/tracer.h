// SPDX-License-Identifier: Apache-2.0
//
// Tracer: what a stop of a traced thread means, what is told of it, and how the thread goes on as
// if nobody had looked: ptrace(2) by PTRACE_SEIZE, with children, threads and execs followed.
//
// With a filter (seccomp_filter.h) only the calls of interest stop, once before they enter and once
// when they return. Without one, for processes that ran before, every call stops twice.
#pragma once

#include "ptrace/interpreter.h"
#include "ptrace/output.h"

#include <functional>
#include <string>
#include <sys/types.h>
#include <unordered_map>

namespace tiercel::ptrace {

class Tracer {
  public:
    struct Options {
        bool filtered = false; // the threads are under make_filter()'s program, and die with us
        bool signals = false;  // signaldeliver is wanted
        // Called once, before the last thread is let go to its end: its parent cannot know yet.
        std::function<void()> before_last_exit;
    };
    // `output` is lent for as long as the tracer lives.
    Tracer(Output& output, Options options);

    // Traces one thread, wherever it is, from now on. EPERM: it is not ours to trace, or traced
    // already; ESRCH: there is none.
    os::Result<void> seize(pid_t tid);
    // The same for all threads that the process has.
    os::Result<void> seize_process(pid_t pid);

    // A waitpid(2) result of a thread that may be traced. False: it is none of ours.
    bool on_status(pid_t tid, int status);
    [[nodiscard]] bool empty() const { return threads_.empty(); }

    // Lets all threads go, each when its next stop is seen by on_status(); until empty().
    void detach();

  private:
    struct Thread {
        user_call call{};     // the one it is in, or was in last
        std::string filename; // given to the exec it is in
        bool in_call = false; // the return is awaited
        bool exit_told = false;
        bool announced = true; // a new one: its creator's stop has told of it
    };

    void on_stop(pid_t tid, Thread& thread, int status);
    void on_event(pid_t tid, Thread& thread, int event, int signal);
    void on_call(pid_t tid, Thread& thread);
    void on_clone(pid_t tid, Thread& thread);
    void on_exec(pid_t tid);
    void on_exit(pid_t tid, Thread& thread);
    void on_signal(pid_t tid, Thread& thread, int signal);
    void on_new(pid_t tid);
    void gone(pid_t tid, int status);
    void announce_orphans();
    void go_on(pid_t tid, const Thread& thread, int signal = 0);

    Output& output_;
    const Options options_;
    std::unordered_map<pid_t, Thread> threads_;
    bool detaching_ = false;
};

} // namespace tiercel::ptrace
