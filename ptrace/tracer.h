// SPDX-License-Identifier: Apache-2.0
//
// Tracer: handles the stops of traced threads. It finds out what each stop means, captures its
// event, and resumes the thread as if it were not traced. It uses ptrace(2) with PTRACE_SEIZE and
// follows children, threads and execs.
//
// With a filter (seccomp_filter.h) only wanted calls stop, once before they enter and once when
// they return. Without a filter, for a process that ran before, every call stops twice.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptrace/interpreter.h"
#include "ptrace/output.h"

namespace tiercel::ptrace {

class Tracer {
  public:
    struct Options {
        bool filtered =
            false; // the threads run under make_filter()'s program, and die with the tracer
        bool signals = false; // signaldeliver is wanted
        // Called once, before the last thread is resumed to its end, so its parent cannot know yet.
        std::function<void()> before_last_exit;
    };
    // The caller keeps ownership; `output` must outlive the tracer.
    Tracer(Output& output, Options options);

    // Starts to trace one thread. Errors: EPERM if this process may not trace it or it is traced
    // already; ESRCH if it does not exist.
    os::Result<void> seize(pid_t tid);
    // Starts to trace all threads of the process.
    os::Result<void> seize_process(pid_t pid);

    // Handles a waitpid(2) result. Returns false if the thread is not traced here.
    bool on_status(pid_t tid, int status);
    [[nodiscard]] bool empty() const { return threads_.empty(); }

    // Detaches each thread when on_status() sees its next stop; call on_status() until empty().
    void detach();

  private:
    struct Thread {
        user_call call{};                          // the current call, or the last one
        std::string filename;                      // the path given to the current exec
        std::array<std::string, CALL_TEXTS> texts; // of the current call, as of its entry
        bool inside = false;                       // the last stop at a call was its entry
        bool in_call = false;                      // a wanted call has entered and not returned
        bool exit_told = false;
        bool announced = true; // its clone event has been captured
    };

    void on_stop(pid_t tid, Thread& thread, int status);
    void on_event(pid_t tid, Thread& thread, int event, int signal);
    void on_call(pid_t tid, Thread& thread, bool by_filter);
    void on_clone(pid_t tid, Thread& thread);
    void on_exec(pid_t tid);
    void on_exit(pid_t tid, Thread& thread);
    void on_signal(pid_t tid, Thread& thread, int signal);
    void on_new(pid_t tid);
    void gone(pid_t tid, int status);
    void announce_orphans();
    void go_on(pid_t tid, const Thread& thread, int signal = 0);
    void failed(pid_t tid, const os::Error& error);

    Output& output_;
    const Options options_;
    std::unordered_map<pid_t, Thread> threads_;
    std::vector<pid_t> lost_; // threads that on_status() has to forget
    bool detaching_ = false;
};

} // namespace tiercel::ptrace
