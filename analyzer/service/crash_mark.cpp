// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/crash_mark.h"

#include <unistd.h>

#include <array>
#include <csignal>

namespace tiercel::app {

namespace {

std::uint64_t* marked = nullptr;
pid_t marked_thread = 0;
// For a crash by an endless recursion.
std::array<char, 64 << 10> stack_of_handler;

// The signal's former action is in force again (SA_RESETHAND), so that the instruction that is
// repeated, or abort(), ends the process.
void mark(int signal) {
    if (gettid() == marked_thread)
        __atomic_store_n(marked, static_cast<std::uint64_t>(signal), __ATOMIC_RELEASE);
}

} // namespace

void mark_crashes(std::uint64_t& word) {
    marked = &word;
    marked_thread = gettid();
    const stack_t stack{
        .ss_sp = stack_of_handler.data(), .ss_flags = 0, .ss_size = stack_of_handler.size()};
    sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_handler = mark;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK | SA_NODEFER);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
        sigaction(signal, &action, nullptr);
}

} // namespace tiercel::app
