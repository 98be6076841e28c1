// SPDX-License-Identifier: Apache-2.0
//
// Reads what /proc says about a thread (proc(5)). Only facts that cannot change are cached.
#include "ptrace/facts.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "shared/os/file.h"

namespace {

using tiercel::os::parse_unsigned;
using tiercel::os::read_file;

// The files of /proc/TID/task/TID, because those of /proc/TID add up all threads of the process.
std::string_view read_own(int tid, const char* name, std::span<char> buffer) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", tid, tid, name);
    auto text = read_file("", path, buffer);
    return text ? *text : std::string_view{};
}

// Takes the numbers out of a text, in order.
class Numbers {
  public:
    explicit Numbers(std::string_view text) : rest_(text) {}

    bool next(unsigned long long& value, int base = 10) {
        const auto begin = rest_.find_first_not_of(" \t");
        if (begin == std::string_view::npos)
            return false;
        rest_.remove_prefix(begin);
        const auto end = std::min(rest_.find_first_of(" \t\n"), rest_.size());
        auto word = rest_.substr(0, end);
        const bool negative = word.starts_with('-');
        word.remove_prefix(negative ? 1 : 0);
        const auto number = parse_unsigned(word, base);
        rest_.remove_prefix(end);
        value = negative ? 0 - number.value_or(0) : number.value_or(0);
        return number.has_value();
    }
    template <typename T>
    T take(int base = 10) {
        unsigned long long value = 0;
        next(value, base);
        return static_cast<T>(value);
    }
    void skip(unsigned count) {
        while (count-- > 0)
            take<int>();
    }

  private:
    std::string_view rest_;
};

unsigned long long ticks_to_ns(unsigned long long ticks) {
    static const auto kPerSecond = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
    return ticks * (1'000'000'000 / kPerSecond);
}

// Parses stat from field 3 on, behind the thread's name, which may hold any bytes.
Numbers after_name(std::string_view stat) {
    const auto end = stat.rfind(')');
    return Numbers(end == std::string_view::npos || end + 4 > stat.size() ? std::string_view{}
                                                                          : stat.substr(end + 3));
}

void take_stat(std::string_view stat, thread_facts& out) {
    const auto begin = stat.find('('), end = stat.rfind(')');
    if (begin == std::string_view::npos || end == std::string_view::npos)
        return;
    stat.substr(begin + 1, end - begin - 1).copy(out.comm, sizeof out.comm - 1);
    Numbers fields = after_name(stat);
    out.parent_tid = out.parent_tgid = fields.take<int>(); // 4
    fields.skip(2);
    out.terminal = fields.take<unsigned>(); // 7
    fields.skip(2);
    out.minor_faults = fields.take<unsigned long long>(); // 10
    fields.skip(1);
    out.major_faults = fields.take<unsigned long long>(); // 12
    fields.skip(9);
    out.start_ns = ticks_to_ns(fields.take<unsigned long long>()); // 22
    fields.skip(25);
    for (auto* address : {&out.arg_start, &out.arg_end, &out.env_start, &out.env_end}) // 48 to 51
        *address = fields.take<unsigned long long>();
}

void take_ids(Numbers ids, int kind, thread_facts& out) {
    unsigned long long value = 0;
    unsigned count = 0;
    while (count < FACTS_NAMESPACES && ids.next(value))
        out.ids[kind][count++] = static_cast<int>(value);
    out.namespaces = count;
}

// Parses one line of status.
void take_status(std::string_view key, Numbers value, thread_facts& out) {
    if (key == "Tgid") {
        out.tgid = value.take<int>();
    } else if (key == "Uid") { // real, effective, saved, file system
        out.ruid = value.take<unsigned>();
        out.euid = value.take<unsigned>();
        value.skip(1);
        out.fsuid = value.take<unsigned>();
    } else if (key == "Gid") {
        value.skip(1);
        out.egid = value.take<unsigned>();
        value.skip(1);
        out.fsgid = value.take<unsigned>();
    } else if (key == "Groups") {
        for (unsigned long long group = 0; out.group_count < FACTS_GROUPS && value.next(group);)
            out.groups[out.group_count++] = static_cast<unsigned>(group);
    } else if (key == "NSpid") {
        take_ids(value, 0, out);
    } else if (key == "NStgid") {
        take_ids(value, 1, out);
    } else if (key == "NSpgid") {
        take_ids(value, 2, out);
    } else if (key == "NSsid") {
        take_ids(value, 3, out);
    } else if (key == "VmSize") {
        out.vm_kib = value.take<unsigned long long>();
        out.has_memory = 1;
    } else if (key == "VmRSS") {
        out.rss_kib = value.take<unsigned long long>();
    } else if (key == "VmSwap") {
        out.swap_kib = value.take<unsigned long long>();
    } else if (key == "CapInh") {
        out.inheritable = value.take<unsigned long long>(16);
    } else if (key == "CapPrm") {
        out.permitted = value.take<unsigned long long>(16);
    } else if (key == "CapEff") {
        out.effective = value.take<unsigned long long>(16);
    }
}

// Start of the init of this process's own pid namespace; in other namespaces init has another
// number.
unsigned long long own_namespace_start() {
    static const unsigned long long kStart = [] {
        char buffer[1024];
        Numbers fields = after_name(read_own(1, "stat", buffer));
        fields.skip(18);
        return ticks_to_ns(fields.take<unsigned long long>());
    }();
    return kStart;
}

unsigned login_uid(int tid) {
    char buffer[16];
    return static_cast<unsigned>(
        parse_unsigned(read_own(tid, "loginuid", buffer)).value_or(UINT_MAX));
}

// Reads the soft limit from /proc, because prlimit(2) needs CAP_SYS_RESOURCE for another user's
// process.
unsigned long long fd_limit(int tid) {
    constexpr std::string_view kKey = "\nMax open files";
    char buffer[4096];
    const auto limits = read_own(tid, "limits", buffer);
    const auto at = limits.find(kKey);
    return at == std::string_view::npos
               ? 0
               : Numbers(limits.substr(at + kKey.size())).take<unsigned long long>();
}

} // namespace

int facts_of_thread(int tid, thread_facts* out) {
    *out = {};
    out->tid = tid;
    char buffer[8192];
    take_stat(read_own(tid, "stat", buffer), *out);
    auto rest = read_own(tid, "status", buffer);
    if (rest.empty())
        return -1;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (const auto colon = line.find(':'); colon != std::string_view::npos)
            take_status(line.substr(0, colon), Numbers(line.substr(colon + 1)), *out);
    }
    if (out->namespaces == 1)
        out->namespace_start_ns = own_namespace_start();
    else if (out->namespaces > 1 && out->ids[0][out->namespaces - 1] == 1)
        out->namespace_start_ns = out->start_ns; // the thread is the init of its namespace
    out->login_uid = login_uid(tid);
    out->fd_limit = fd_limit(tid);
    return 0;
}

unsigned facts_of_link(int tid, const char* which, char* out, unsigned size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", tid, which);
    const ssize_t got = readlink(path, out, size - 1);
    if (got <= 0)
        return 0;
    out[got] = 0;
    return static_cast<unsigned>(got) + 1;
}

unsigned facts_of_texts(int tid, const char* which, char* out, unsigned size) {
    auto text = read_own(tid, which, {out, size});
    return static_cast<unsigned>(text.size());
}

int facts_have_children(int tid) {
    char path[64], buffer[64]; // needs CONFIG_PROC_CHILDREN
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", tid, tid);
    auto children = read_file("", path, buffer);
    return !children || !children->empty();
}

int facts_children_in_namespace(int tid) {
    char own[64], children[64];
    return facts_of_link(tid, "ns/pid", own, sizeof own) != 0 &&
           facts_of_link(tid, "ns/pid_for_children", children, sizeof children) != 0 &&
           std::strcmp(own, children) != 0;
}

// namespaces(7): each link reads "KIND:[NUMBER]".
void facts_of_namespaces(int tid, unsigned out[FACTS_NAMESPACE_KINDS]) {
    static constexpr const char* kKinds[FACTS_NAMESPACE_KINDS] = {
        "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid", "ns/time", "ns/user", "ns/uts"};
    for (int i = 0; i < FACTS_NAMESPACE_KINDS; ++i) {
        char link[64];
        const bool known = facts_of_link(tid, kKinds[i], link, sizeof link) != 0;
        const char* number = known ? std::strchr(link, '[') : nullptr;
        out[i] =
            number != nullptr ? static_cast<unsigned>(std::strtoul(number + 1, nullptr, 10)) : 0;
    }
}

// cgroups(7): "hierarchy:controllers:path". The line of version 2 names no controllers and covers
// all.
int facts_of_cgroups(int tid, char out[FACTS_CGROUPS][FACTS_PATH]) {
    static constexpr std::string_view kNames[FACTS_CGROUPS] = {"cpuset", "cpu", "cpuacct", "blkio",
                                                               "memory"};
    for (int i = 0; i < FACTS_CGROUPS; ++i)
        out[i][0] = 0;
    char buffer[16384];
    auto rest = read_own(tid, "cgroup", buffer);
    if (rest.empty())
        return -1;
    std::string_view unified;
    while (!rest.empty()) {
        const auto line = rest.substr(0, std::min(rest.find('\n'), rest.size()));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos)
            continue;
        auto controllers = line.substr(first + 1, second - first - 1);
        const auto path = line.substr(second + 1, FACTS_PATH - 1);
        if (controllers.empty())
            unified = path;
        while (!controllers.empty()) {
            const auto name = controllers.substr(0, controllers.find(','));
            controllers.remove_prefix(std::min(name.size() + 1, controllers.size()));
            if (const auto* found = std::ranges::find(kNames, name); found != std::end(kNames))
                out[found - kNames][path.copy(out[found - kNames], FACTS_PATH - 1)] = 0;
        }
    }
    for (int i = 0; i < FACTS_CGROUPS; ++i)
        if (out[i][0] == 0)
            out[i][unified.copy(out[i], FACTS_PATH - 1)] = 0;
    return 0;
}
