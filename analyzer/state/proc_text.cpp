// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/proc_text.h"

#include <unistd.h>

#include <algorithm>

#include "shared/os/file.h"

namespace tiercel::state {

namespace {

using View = std::string_view;

// Removes the next word from `text` and returns it; returns "" at the end. Blanks separate words.
View next_word(View& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const View word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

View nth_word(View text, unsigned index) {
    while (index-- > 0)
        next_word(text);
    return next_word(text);
}

View last_word(View text) {
    View last;
    for (View word = next_word(text); !word.empty(); word = next_word(text))
        last = word;
    return last;
}

template <typename T>
void set(T& out, View word, int base = 10) {
    if (const auto number = os::parse_unsigned(word, base))
        out = static_cast<T>(*number);
}

// Takes one line of /proc/PID/status. The NS* lines list the id in each pid namespace, innermost
// last.
void take_status(View key, View value, Thread& thread) {
    if (key == "Pid") {
        set(thread.tid, nth_word(value, 0));
    } else if (key == "Tgid") {
        set(thread.pid, nth_word(value, 0));
    } else if (key == "PPid") {
        set(thread.ptid, nth_word(value, 0));
    } else if (key == "Uid") { // real, effective, saved, file system
        set(thread.ruid, nth_word(value, 0));
        set(thread.uid, nth_word(value, 1));
    } else if (key == "Gid") {
        set(thread.gid, nth_word(value, 1));
    } else if (key == "NSpid") {
        set(thread.vtid, last_word(value));
    } else if (key == "NStgid") {
        set(thread.vpid, last_word(value));
    } else if (key == "NSpgid") {
        set(thread.pgid, nth_word(value, 0));
        set(thread.vpgid, last_word(value));
    } else if (key == "NSsid") {
        set(thread.sid, last_word(value));
    } else if (key == "VmSize") {
        set(thread.vm_size, nth_word(value, 0));
    } else if (key == "VmRSS") {
        set(thread.vm_rss, nth_word(value, 0));
    } else if (key == "VmSwap") {
        set(thread.vm_swap, nth_word(value, 0));
    } else if (key == "CapInh") {
        set(thread.cap_inheritable, nth_word(value, 0), 16);
    } else if (key == "CapPrm") {
        set(thread.cap_permitted, nth_word(value, 0), 16);
    } else if (key == "CapEff") {
        set(thread.cap_effective, nth_word(value, 0), 16);
    }
}

// The name in parentheses may hold any character, ")" too. The fields from the third on follow it.
void take_stat(View stat, std::uint64_t boot_ns, Thread& thread) {
    const std::size_t begin = stat.find('('), end = stat.rfind(')');
    if (begin == View::npos || end == View::npos || end < begin)
        return;
    thread.comm.set(stat.substr(begin + 1, end - begin - 1));
    const View fields = stat.substr(end + 1);
    set(thread.tty, nth_word(fields, 7 - 3));
    set(thread.pgft_min, nth_word(fields, 10 - 3));
    set(thread.pgft_maj, nth_word(fields, 12 - 3));
    std::uint64_t ticks = 0;
    set(ticks, nth_word(fields, 22 - 3));
    if (ticks != 0)
        thread.clone_ts =
            boot_ns + ticks * (1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)));
}

// Converts lines of the form "hierarchy:controllers:path". A version 2 line has no controllers; its
// path then stands for all subsystems that the kernel's probes report
// (kernel/common/captures/task.h).
std::string cgroups_of(View cgroup) {
    constexpr View kKinds[] = {"cpuset", "cpu", "cpuacct", "io", "memory"};
    std::string all;
    const auto add = [&all](View kind, View path) {
        all.append(kind).append("=").append(path).push_back('\0');
    };
    while (!cgroup.empty()) {
        const View line = cgroup.substr(0, cgroup.find('\n'));
        cgroup.remove_prefix(std::min(line.size() + 1, cgroup.size()));
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == View::npos || second == View::npos)
            continue;
        View controllers = line.substr(first + 1, second - first - 1);
        const View path = line.substr(second + 1);
        if (controllers.empty() && all.empty())
            for (const View kind : kKinds)
                add(kind, path);
        while (!controllers.empty()) {
            const View kind = controllers.substr(0, controllers.find(','));
            controllers.remove_prefix(std::min(kind.size() + 1, controllers.size()));
            add(kind, path);
        }
    }
    return all;
}

} // namespace

void set_command_line(Thread& thread, View argv) {
    const std::size_t end = argv.find('\0');
    thread.exe.set(argv.empty() ? thread.comm.view() : argv.substr(0, end));
    thread.args.set(end == View::npos ? View() : argv.substr(end + 1));
}

std::optional<Thread> thread_of(const ProcTexts& texts, std::uint64_t boot_ns) {
    Thread thread;
    thread.process = make_process();
    for (View rest = texts.status; !rest.empty();) {
        const View line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (const std::size_t colon = line.find(':'); colon != View::npos)
            take_status(line.substr(0, colon), line.substr(colon + 1), thread);
    }
    if (thread.tid < 0 || thread.pid < 0)
        return std::nullopt;
    take_stat(texts.stat, boot_ns, thread);
    set_command_line(thread, texts.cmdline);
    thread.exepath.set(texts.exe);
    thread.cgroups.set(cgroups_of(texts.cgroup));
    set(thread.loginuid, texts.loginuid.substr(0, texts.loginuid.find('\n')));
    if (!texts.cwd.empty())
        thread.process->cwd = texts.cwd.ends_with('/') ? Text(texts.cwd) : Text(texts.cwd, "/");
    if (!thread.is_leader())
        thread.flags |= Thread::is_thread | Thread::shares_files;
    return thread;
}

} // namespace tiercel::state
