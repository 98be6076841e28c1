// SPDX-License-Identifier: Apache-2.0
//
// Thread holds what is known of one thread. Process holds what the threads of a process share.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "analyzer/state/fd.h"
#include "analyzer/state/text.h"
#include "shared/event/params.h"

namespace tiercel::state {

inline constexpr std::uint32_t kNoId = UINT32_MAX; // a user or group that is not known

// A working directory, which processes made with CLONE_FS share. Ends in '/'; empty if not known.
class Directory {
  public:
    Directory() : text_(std::allocate_shared<Text>(memory::Allocator<Text>())) {}
    std::string_view view() const { return text_->view(); }
    operator std::string_view() const { return view(); }
    bool empty() const { return text_->empty(); }
    // Both change the directory of all processes that share it.
    void set(std::string_view path) { text_->set(path); }
    Directory& operator=(Text path) {
        *text_ = std::move(path);
        return *this;
    }
    // Stops sharing, and keeps the value.
    void unshare() { text_ = std::allocate_shared<Text>(memory::Allocator<Text>(), *text_); }

  private:
    std::shared_ptr<Text> text_;
};

std::shared_ptr<FdTable> make_fds(const FdTable& from = {});

struct Process {
    std::shared_ptr<FdTable> fds = make_fds();
    Directory cwd;
    Text env; // NUL-terminated strings
    std::uint32_t threads = 0;
    bool subreaper = false;
};

// Makes a process with the members of `from`, counted by memory.h.
inline std::shared_ptr<Process> make_process(const Process& from = {}) {
    return std::allocate_shared<Process>(memory::Allocator<Process>(), from);
}

// The namespaces that events tell the numbers of, in the order of the capture `namespaces`.
enum class Namespace : std::uint8_t { cgroup, ipc, mnt, net, pid, time, user, uts, count };
constexpr std::size_t kNamespaceBytes =
    static_cast<std::size_t>(Namespace::count) * sizeof(std::uint32_t);

struct Thread {
    static void* operator new(std::size_t size) { return memory::allocate(size); }
    static void operator delete(void* at, std::size_t size) { memory::release(at, size); }

    // Bits of `flags`: those of clone_flags in the event table.
    enum Flags : std::uint32_t {
        shares_files = event::flags::clone_flags::kCLONE_FILES,
        shares_directory = event::flags::clone_flags::kCLONE_FS,
        new_pid_namespace = event::flags::clone_flags::kCLONE_NEWPID,
        is_thread = event::flags::clone_flags::kCLONE_THREAD,
        inverted =
            event::flags::clone_flags::kCLONE_INVERTED, // made by its own event, not its parent's
        name_changed = event::flags::clone_flags::kNAME_CHANGED, // by prctl
        in_pid_namespace = event::flags::clone_flags::kCLONE_CHILD_IN_PIDNS,
    };
    enum ExeFlags : std::uint8_t {
        exe_writable = 1 << 0,
        exe_upper_layer = 1 << 1,
        exe_from_memfd = 1 << 2,
        exe_lower_layer = 1 << 3,
    };

    std::int64_t tid = -1;
    std::int64_t pid = -1; // -1: a placeholder, of which only the tid is known
    std::int64_t ptid = -1;
    std::int64_t vtid = -1;
    std::int64_t vpid = -1;
    std::int64_t sid = -1;
    std::int64_t pgid = -1;
    std::int64_t vpgid = -1;
    std::uint32_t flags = 0;
    std::uint8_t exe_flags = 0;
    bool args_cut = false;        // `args` lacks a part of a long command line
    bool dead = false;            // has exited; kept until the next event
    bool awaited = false;         // the parent has not reported the clone yet
    std::uint32_t last_event = 0; // StateTracker's count of events then
    std::uint32_t uid = kNoId;
    std::uint32_t ruid = kNoId; // the real user
    std::uint32_t gid = kNoId;
    std::uint32_t loginuid = kNoId;
    std::uint32_t tty = 0;
    std::uint32_t vm_size = 0;
    std::uint32_t vm_rss = 0;
    std::uint32_t vm_swap = 0;
    std::uint64_t pgft_maj = 0;
    std::uint64_t pgft_min = 0;
    std::int64_t fdlimit = -1;
    std::uint64_t cap_inheritable = 0;
    std::uint64_t cap_permitted = 0;
    std::uint64_t cap_effective = 0;
    std::uint64_t exe_ino = 0;
    std::uint64_t exe_ctime = 0;
    std::uint64_t exe_mtime = 0;
    std::uint64_t exe_ctime_to_clone =
        0;                      // ns from the change of the file to the start of the process
    std::uint64_t clone_ts = 0; // ns since the epoch; 0: not known
    std::uint64_t exec_ts = 0;
    std::uint64_t pidns_start_ts = 0;
    Text namespaces; // their numbers, kNamespaceBytes; empty: not known
    Text comm;       // what exec gave the process
    Text name;       // the thread's own name, if prctl or a parent has given one; else empty
    Text exe;        // argv[0]
    Text exepath;
    Text args;    // argv[1…], each NUL-terminated
    Text cgroups; // "subsystem=path", each NUL-terminated
    Text root;
    Text container_id; // empty: the host
    std::shared_ptr<Process> process;
    std::vector<std::byte, memory::Allocator<std::byte>>
        enter; // in captures: the enter event whose exit event has not come yet

    bool is_leader() const { return tid == pid; }
    bool is_placeholder() const { return pid < 0; }
    bool has(ExeFlags flag) const { return (exe_flags & flag) != 0; }
    bool in_namespace() const {
        return (flags & (in_pid_namespace | new_pid_namespace)) != 0 || (vpid != -1 && pid != vpid);
    }
    std::string_view cwd() const {
        return is_placeholder() ? std::string_view("./") : process->cwd.view();
    }
    // The name that the kernel shows for the thread.
    std::string_view own_name() const { return name.empty() ? comm.view() : name.view(); }
    const Fd* fd(std::int64_t number) const { return process->fds->find(number); }
};

// Calls visit(string) for each string of a NUL-terminated sequence. A single empty string counts as
// none, as in Falco, because processes that overwrite their arguments with a title leave one.
template <typename Visit>
void for_each_string(std::string_view strings, Visit&& visit) {
    if (strings.size() == 1 && strings[0] == '\0')
        return;
    while (!strings.empty()) {
        const std::size_t end = strings.find('\0');
        visit(strings.substr(0, end));
        if (end == std::string_view::npos)
            break;
        strings.remove_prefix(end + 1);
    }
}

} // namespace tiercel::state
