// SPDX-License-Identifier: Apache-2.0
#include "ptrace/tracer.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <climits>
#include <csignal>

#include "ptrace/call_stop.h"
#include "ptrace/facts.h"
#include "ptrace/memory.h"
#include "ptrace/proc_list.h"
#include "ptrace/signals.h"

namespace tiercel::ptrace {

namespace {

constexpr int kSyscallStop = SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD

void* as_pointer(unsigned long value) {
    return reinterpret_cast<void*>(value); // NOLINT: how ptrace takes numbers
}

unsigned long event_message(pid_t tid) {
    unsigned long message = 0;
    ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message);
    return message;
}

// Makes the filename as fs/exec.c, alloc_bprm() does, from the path and the directory's descriptor.
std::string exec_filename(pid_t tid, const user_call& call, bool names_directory) {
    char path[PATH_MAX];
    memory_of(tid);
    if (memory_read_text(path, sizeof path, call.args[names_directory ? 1 : 0]) <= 0)
        return "";
    const auto directory = static_cast<int>(call.args[0]);
    if (!names_directory || directory == AT_FDCWD || path[0] == '/')
        return path;
    const std::string prefix = "/dev/fd/" + std::to_string(directory);
    return path[0] == 0 ? prefix : prefix + "/" + path;
}

// Reads the call's texts at its entry, because another thread can change them until it returns. A
// text that is not in memory yet stays empty, and is read at the exit.
void read_texts(pid_t tid, const user_call& call, const call_class& kind,
                std::array<std::string, CALL_TEXTS>& texts) {
    memory_of(tid);
    for (std::size_t k = 0; k < texts.size(); ++k) {
        char text[PATH_MAX];
        texts[k].clear();
        if (kind.texts[k] >= 0 && memory_read_text(text, sizeof text, call.args[kind.texts[k]]) > 0)
            texts[k] = text;
    }
}

} // namespace

Tracer::Tracer(Output& output, Options options) : output_(output), options_(std::move(options)) {}

os::Result<void> Tracer::seize(pid_t tid) {
    unsigned long flags = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
    if (options_.filtered) // without a tracer the filter would fail the command's calls
        flags |= PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, as_pointer(flags)) != 0)
        return os::error("trace", std::to_string(tid));
    threads_[tid] = {};
    if (!options_.filtered) // without a filter the thread stops at calls only if it is resumed so
        ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
    return {};
}

os::Result<void> Tracer::seize_process(pid_t pid) {
    if (auto first = seize(pid); !first)
        return first;
    for (bool more = true; more;) { // a thread that is not traced yet may create others meanwhile
        more = false;
        for (pid_t tid : numbers_in("/proc/" + std::to_string(pid) + "/task"))
            if (!threads_.contains(tid) && seize(tid))
                more = true;
    }
    return {};
}

bool Tracer::on_status(pid_t tid, int status) {
    const auto found = threads_.find(tid);
    if (!WIFSTOPPED(status)) {
        if (found == threads_.end())
            return false;
        gone(tid, status);
        return true;
    }
    if (found == threads_.end())
        on_new(tid);
    else
        on_stop(tid, found->second, status);
    for (const pid_t lost : lost_)
        threads_.erase(lost);
    lost_.clear();
    return true;
}

void Tracer::on_stop(pid_t tid, Thread& thread, int status) {
    const int signal = WSTOPSIG(status), event = status >> 16;
    const bool delivers = event == 0 && signal != kSyscallStop;
    if (detaching_) {
        if (::ptrace(PTRACE_DETACH, tid, nullptr,
                     as_pointer(delivers ? static_cast<unsigned long>(signal) : 0)) == 0)
            threads_.erase(tid);
        return;
    }
    if (event != 0)
        return on_event(tid, thread, event, signal);
    if (delivers)
        return on_signal(tid, thread, signal);
    on_call(tid, thread, false);
}

void Tracer::on_event(pid_t tid, Thread& thread, int event, int signal) {
    switch (event) {
    case PTRACE_EVENT_SECCOMP: return on_call(tid, thread, true);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: return on_clone(tid, thread);
    case PTRACE_EVENT_EXEC: return on_exec(tid);
    case PTRACE_EVENT_EXIT: return on_exit(tid, thread);
    case PTRACE_EVENT_STOP:
        // A group stop: the thread stays stopped until SIGCONT, as its parent has been told.
        if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
            ::ptrace(PTRACE_LISTEN, tid, nullptr, nullptr);
            return;
        }
        if (thread.announced)
            go_on(tid, thread);
        return;
    default: go_on(tid, thread);
    }
}

// Handles the entry of a call, by the filter or by PTRACE_SYSCALL, and the return.
void Tracer::on_call(pid_t tid, Thread& thread, bool by_filter) {
    auto stop = read_call_stop(tid, !by_filter && thread.inside);
    if (!stop) {
        failed(tid, stop.error());
        return;
    }
    thread.inside = stop->kind == CallStop::entry;
    if (stop->kind == CallStop::entry) {
        thread.call = stop->call;
        const call_class kind = classify_call(&thread.call);
        thread.in_call = kind.wanted != 0 && !output_.closed();
        if (kind.is_exec) // a successful exec replaces the memory that holds the path
            thread.filename = exec_filename(tid, thread.call, kind.names_directory != 0);
        if (thread.in_call)
            read_texts(tid, thread.call, kind, thread.texts);
    } else if (stop->kind == CallStop::exit && thread.in_call) {
        thread.in_call = false;
        for (std::size_t k = 0; k < thread.texts.size(); ++k)
            thread.call.texts[k] = thread.texts[k].empty() ? nullptr : thread.texts[k].c_str();
        capture_call(tid, &thread.call, stop->result, &output_);
    }
    go_on(tid, thread);
}

// ESRCH means that the thread has been killed, which waitpid(2) will say. After any other error the
// thread is let go, because it would stay stopped for ever.
void Tracer::failed(pid_t tid, const os::Error& error) {
    if (error.number == ESRCH)
        return;
    os::print("tiercel-trace", error, "the thread runs on without being traced");
    ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
    lost_.push_back(tid);
}

// The creator's stop may come before or after the new thread's first stop.
void Tracer::on_clone(pid_t tid, Thread& thread) {
    const auto child = static_cast<pid_t>(event_message(tid));
    // If the child does not exist, one of the two has been killed meanwhile.
    if (child > 0 && (kill(child, 0) == 0 || errno == EPERM)) {
        const auto [found, is_new] = threads_.try_emplace(child);
        capture_clone(tid, child, &thread.call, &output_);
        if (!is_new && !found->second.announced) {
            found->second.announced = true;
            go_on(child, found->second);
        }
    }
    go_on(tid, thread);
}

void Tracer::on_new(pid_t tid) {
    if (detaching_) {
        ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
        return;
    }
    threads_[tid].announced = false;
}

// Captures the clone event of a thread whose creator was killed before its own stop. The creator of
// a thread is in the same process; the creator of a process is in the parent process.
void Tracer::announce_orphans() {
    for (auto& [tid, thread] : threads_) {
        thread_facts facts{};
        if (thread.announced || facts_of_thread(tid, &facts) != 0 ||
            threads_.contains(facts.tgid == tid ? facts.parent_tgid : facts.tgid))
            continue;
        thread.announced = true;
        capture_clone(tid, tid, &thread.call, &output_);
        go_on(tid, thread);
    }
}

// After an exec by another thread than the leader, that thread has the leader's id; all others
// ended.
void Tracer::on_exec(pid_t tid) {
    const auto former = static_cast<pid_t>(event_message(tid));
    if (former > 0 && former != tid) {
        threads_[tid] = std::move(threads_[former]);
        threads_.erase(former);
    }
    Thread& thread = threads_[tid];
    capture_exec(tid, &thread.call, thread.filename.c_str(), &output_);
    thread.in_call = false;
    thread.exit_told = false;
    go_on(tid, thread);
}

void Tracer::on_exit(pid_t tid, Thread& thread) {
    thread.exit_told = true;
    capture_exit(tid, static_cast<int>(event_message(tid)), &output_);
    if (threads_.size() == 1 && options_.before_last_exit)
        options_.before_last_exit();
    go_on(tid, thread);
}

void Tracer::on_signal(pid_t tid, Thread& thread, int signal) {
    if (options_.signals && is_delivered(tid, signal)) {
        siginfo_t info{};
        ::ptrace(PTRACE_GETSIGINFO, tid, nullptr, &info);
        capture_signal(tid, signal, sender_of(info), &output_);
    }
    go_on(tid, thread, signal);
}

void Tracer::gone(pid_t tid, int status) {
    const auto thread = threads_.find(tid);
    const bool killed = !thread->second.exit_told; // a killed thread does not stop at its exit
    if (killed) {
        if (options_.signals && WIFSIGNALED(status))
            capture_signal(tid, WTERMSIG(status), -1, &output_);
        capture_exit(tid, status, &output_);
    }
    threads_.erase(thread);
    if (killed)
        announce_orphans();
}

void Tracer::go_on(pid_t tid, const Thread& thread, int signal) {
    const auto how = options_.filtered && !thread.in_call ? PTRACE_CONT : PTRACE_SYSCALL;
    if (::ptrace(how, tid, nullptr, as_pointer(static_cast<unsigned long>(signal))) != 0)
        failed(tid, os::error("resume thread", std::to_string(tid)));
}

void Tracer::detach() {
    detaching_ = true;
    std::erase_if(threads_, [](const auto& entry) {
        const auto& [tid, thread] = entry;
        if (thread.announced) {
            ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
            return false;
        }
        return ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr) == 0; // the thread is stopped already
    });
}

} // namespace tiercel::ptrace
