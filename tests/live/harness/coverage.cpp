// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness/coverage.h"

#include <doctest/doctest.h>

#include <cstdio>

namespace tiercel::live {

using namespace event;

namespace {

// Whether both outcomes can be brought about: some calls cannot fail, and on x86 execveat succeeds
// as execve.
bool has_both_outcomes(const EventInfo& info) {
    switch (info.code) {
    case GENERIC_X:
    case SYSCALL_GETUID_X:
    case SYSCALL_GETEUID_X:
    case SYSCALL_GETGID_X:
    case SYSCALL_GETEGID_X:
    case SYSCALL_MUNLOCKALL_X:
    case SYSCALL_BRK_4_X: // brk answers with the old break
    case SYSCALL_FORK_20_X:
    case SYSCALL_VFORK_20_X:
    case SYSCALL_INIT_MODULE_X:
    case SYSCALL_FINIT_MODULE_X:
    case SYSCALL_DELETE_MODULE_X: // a test must not load one
#ifdef __x86_64__
    case SYSCALL_EXECVEAT_X:
#endif
        return false;
    default: return info.origin == Origin::SYSCALL && !info.params.empty();
    }
}

} // namespace

Coverage& Coverage::get() {
    static Coverage coverage;
    return coverage;
}

bool Coverage::add_test(Code code) {
    return tested_.insert(code).second;
}

void Coverage::saw(std::uint16_t code, bool failed_call) {
    (failed_call ? seen_[code].failed : seen_[code].succeeded)++;
}

void Coverage::skip(const std::string& reason, std::initializer_list<Code> excused) {
    std::printf("SKIPPED: %s: %s\n", doctest::getContextOptions()->currentTest->m_name,
                reason.c_str());
    for (Code code : excused)
        excused_.emplace(code, reason);
    ++skips_;
}

void Coverage::test_failed(std::string_view test) {
    broken_.emplace(test.substr(0, test.find(' ')), test);
}

std::string Coverage::verdict(const EventInfo& info, std::string_view driver) const {
    const Gap* gap = nullptr;
    for (const Gap& row : gaps())
        if (row.event == info.code && row.driver == driver)
            gap = &row;
    const bool seen = seen_.contains(info.code);
    if (gap)
        return seen ? "fail: it came, though gaps.def says that it cannot"
                    : "not supported: " + std::string(gap->reason);
    if (const auto test = broken_.find(info.symbol); test != broken_.end())
        return "fail: test " + test->second;
    if (!seen && !exists_here(static_cast<Code>(info.code)))
        return "not supported: this architecture has no such system call";
    if (const auto excuse = excused_.find(info.code); excuse != excused_.end())
        return "not tested: " + excuse->second;
    return seen ? "pass" : "fail: no test saw it";
}

void Coverage::print_results(std::string_view driver) const {
    for (const EventInfo& info : events())
        if (info.emitted)
            std::printf("RESULT\t%.*s\t%s\n", static_cast<int>(info.symbol.size()),
                        info.symbol.data(), verdict(info, driver).c_str());
}

bool Coverage::exists_here(Code code) const {
    if (find(code)->origin != Origin::SYSCALL || code == GENERIC_X)
        return true;
#ifdef __x86_64__
    if (code == SOCKET_SEND_X || code == SOCKET_RECV_X) // i386 has them inside socketcall
        return true;
#endif
    for (const SyscallInfo& call : syscalls()) {
        if (call.event != code)
            continue;
        if (native_number(call) >= 0)
            return true;
#ifdef __x86_64__
        if (call.i386 >= 0)
            return true;
#endif
    }
    return false;
}

int Coverage::report_untested() const {
    int missing = 0;
    for (const EventInfo& info : events())
        if (info.emitted && !tested_.contains(info.code) &&
            exists_here(static_cast<Code>(info.code))) {
            std::printf("UNTESTED: %u %.*s\n", unsigned{info.code},
                        static_cast<int>(info.symbol.size()), info.symbol.data());
            ++missing;
        }
    std::printf("%zu events have a test, %d have none\n", tested_.size(), missing);
    return missing;
}

int Coverage::report_unseen() const {
    int unseen = 0, one_sided = 0;
    for (const EventInfo& info : events()) {
        if (!info.emitted || excused_.contains(info.code) ||
            !exists_here(static_cast<Code>(info.code)))
            continue;
        const auto found = seen_.find(info.code);
        const Seen seen = found == seen_.end() ? Seen{} : found->second;
        const char* problem = nullptr;
        if (seen.succeeded + seen.failed == 0) {
            problem = "UNSEEN";
            ++unseen;
        } else if (has_both_outcomes(info) && (seen.succeeded == 0 || seen.failed == 0)) {
            problem = seen.succeeded ? "NEVER FAILED" : "NEVER SUCCEEDED";
            ++one_sided;
        }
        if (problem)
            std::printf("%s: %u %.*s\n", problem, unsigned{info.code},
                        static_cast<int>(info.symbol.size()), info.symbol.data());
    }
    std::printf("%zu events seen with every parameter compared, %zu excused, %d never seen, %d "
                "seen on one side only\n",
                seen_.size(), excused_.size(), unseen, one_sided);
    return unseen;
}

} // namespace tiercel::live
