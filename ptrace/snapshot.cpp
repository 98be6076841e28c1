// SPDX-License-Identifier: Apache-2.0
#include "ptrace/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ptrace/facts.h"
#include "ptrace/interpreter.h"
#include "ptrace/proc_list.h"

namespace tiercel::ptrace {

namespace {

// Collects events, one after the other, in a memfd.
class Collector : public event_sink {
  public:
    Collector()
        : event_sink{[](event_sink* self, const void* event, unsigned size) {
                         const auto* bytes = static_cast<const char*>(event);
                         static_cast<Collector*>(self)->all_.append(bytes, size);
                     },
                     nullptr} {}

    [[nodiscard]] os::Result<os::UniqueFd> finish() const {
        os::UniqueFd memory(memfd_create("tiercel-snapshot", MFD_CLOEXEC));
        if (!memory.valid() ||
            write(memory.get(), all_.data(), all_.size()) != static_cast<ssize_t>(all_.size()) ||
            lseek(memory.get(), 0, SEEK_SET) != 0)
            return os::error("write", "the list of processes");
        return memory;
    }

  private:
    std::string all_;
};

void take_ancestors(pid_t pid, Collector& into) {
    thread_facts facts{};
    for (pid_t at = pid; facts_of_thread(at, &facts) == 0 && facts.parent_tgid > 0;) {
        at = facts.parent_tgid;
        capture_thread(at, at, &into);
    }
}

void take_files(pid_t pid, bool about_to_exec, Collector& into) {
    for (int fd : numbers_in("/proc/" + std::to_string(pid) + "/fd")) {
        file_facts facts{};
        if (facts_of_descriptor(pid, fd, &facts) == 0 &&
            (!about_to_exec || (facts.flags & O_CLOEXEC) == 0))
            capture_descriptor(pid, fd, &into);
    }
}

} // namespace

os::Result<Snapshot> take_snapshot(pid_t pid, bool about_to_exec) {
    Collector tasks, files;
    take_ancestors(pid, tasks);
    for (int tid : numbers_in("/proc/" + std::to_string(pid) + "/task"))
        capture_thread(pid, tid, &tasks);
    take_files(pid, about_to_exec, files);
    Snapshot taken;
    for (auto [collector, fd] :
         {std::pair(&tasks, &taken.tasks), std::pair(&files, &taken.files)}) {
        auto finished = collector->finish();
        if (!finished)
            return finished.error();
        *fd = std::move(*finished);
    }
    return taken;
}

} // namespace tiercel::ptrace
