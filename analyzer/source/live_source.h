// SPDX-License-Identifier: Apache-2.0
//
// LiveSource: the events of a session with privd. Before the first event, the state gets the
// processes that already run, from BPF iterators or through privd's door to /proc. The rings are
// emptied meanwhile: their events are held, and given to the pipeline first of all.
#pragma once

#include "analyzer/pipeline/held_events.h"
#include "analyzer/source/command_lines.h"
#include "analyzer/source/live.h"
#include "analyzer/source/proc_door.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class LiveSource : public Source {
  public:
    // Reads the names of users and groups, and describes the machine: construct it before the
    // sandbox.
    // `pipeline` must outlive it.
    LiveSource(Live live, Pipeline& pipeline);

    os::Result<void> begin(const Meanwhile& meanwhile) override;
    std::size_t read() override;
    void finish() override { read(); }
    const std::string& error() const override { return no_error_; }
    std::span<const os::UniqueFd> wakeups() const override {
        return ends_with_wakeups() ? live_.session.wakeups : live_.session.rings;
    }
    bool ends_with_wakeups() const override { return !live_.session.wakeups.empty(); }
    std::size_t room() const override { return live_.session.reply.ring_bytes; }
    bool captures(const wire::Request& wanted) const override {
        return covers(live_.request, live_.session.reply, wanted);
    }
    bool may_load_again() const override { return live_.memories.progress && live_.may_load_again; }
    void threads_started() override;
    Memories* memories() override { return live_.memories.progress ? &live_.memories : nullptr; }
    std::span<const std::byte> poison() const override { return live_.poison; }
    std::optional<output::LiveStatistics> statistics() const override;
    const capture::MachineInfo& machine() const override { return machine_; }

  private:
    os::Result<std::uint64_t> read_iterator(std::vector<os::UniqueFd>& kind,
                                            const std::function<void()>& between);
    void hold();
    void follow_rings();
    void add_command_line(const event::EventView& event);
    bool take(const event::EventView& event, std::uint16_t cpu);
    void read_predecessor();
    void read_again();
    bool is_own(const event::EventView& event) const;

    Live live_;
    Pipeline& pipeline_;
    CommandLines command_lines_; // for a driver whose iterators do not give them
    ProcDoor door_;              // empty if there are iterators
    HeldEvents again_; // the one that the analyzer before did not finish, if it had to be held
    HeldEvents held_;  // of the rings, while the processes at the start are read
    os::UniqueFd task_directory_; // /proc/self/task, until threads_started()
    std::vector<std::uint64_t>
        own_threads_; // whose events are left out, because the probe does not
    std::uint64_t own_events_ = 0;
    const capture::MachineInfo machine_;
    std::uint64_t initial_threads_ = 0, initial_fds_ = 0, iterator_losses_ = 0;
    std::optional<std::uint64_t> first_event_ns_;
    std::string no_error_;
};

} // namespace tiercel::app
