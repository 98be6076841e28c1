// SPDX-License-Identifier: Apache-2.0
//
// Summary gathers an incident from events: the processes, files, connections, containers and users
// that occur, and the alerts of rules. Its memory is bounded; what it leaves out it counts.
//
//     Summary summary(fields, rules, {});
//     summary.take(event);                      // each event, after the state and the rules
//     write_page(summary, …);                   // or append_tree(), at the end
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "analyzer/fields/format.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/report/dns.h"
#include "analyzer/report/excerpts.h"
#include "analyzer/report/rows.h"
#include "analyzer/rules/ruleset.h"
#include "analyzer/state/flat_map.h"

namespace tiercel::report {

// Which events count. Empty members match everything.
struct Scope {
    std::string container; // the id as shown, or the name
    std::string user;      // a name, or a number
};

class Summary {
  public:
    using Event = app::Pipeline::Event;
    using OnStep = std::function<void(const Step&)>;

    static constexpr std::size_t kMostProcesses = 65536, kMostFiles = 65536,
                                 kMostConnections = 32768, kMostContainers = 4096,
                                 kMostUsers = 4096, kMostAlerts = 10'000, kMostAlertsOfRule = 1000;
    // Texts are cut to this many bytes.
    static constexpr std::size_t kMostText = 1000;

    // `rules` may be null. Both must outlive this object.
    Summary(filter::Fields& fields, const rules::RuleSet* rules, Scope scope);

    // Leaves out the events before.
    void set_since(std::uint64_t ns) { since_ns_ = ns; }
    // Calls `on_step` for what a timeline shows.
    void on_step(OnStep on_step) { on_step_ = std::move(on_step); }
    void take(const Event& event);
    // Adds the processes that run, as far as they are in the scope. Call it at the end.
    void add_running(const state::StateTracker& state);

    const rules::RuleSet* rules() const { return rules_; }
    std::span<const std::uint64_t> matches() const { return matches_; } // of each rule
    const std::deque<ProcessRow>& processes() const { return processes_; }
    const Table<FileRow>& files() const { return files_; }
    const Table<ConnectionRow>& connections() const { return connections_; }
    const Table<ContainerRow>& containers() const { return containers_; }
    const Table<UserRow>& users() const { return users_; }
    const std::vector<AlertRow>& alerts() const { return alerts_; }
    const Excerpts& excerpts() const { return excerpts_; }
    std::uint64_t events() const { return events_; }
    std::uint64_t first_ns() const { return first_ns_; }
    std::uint64_t last_ns() const { return last_ns_; }
    std::uint64_t refused_processes() const { return refused_processes_; }
    std::uint64_t refused_alerts() const { return refused_alerts_; }
    std::uint64_t cut_texts() const { return cut_texts_; }
    // Drop events that the capture itself contains.
    std::uint64_t drop_events() const { return drop_events_; }

  private:
    struct Paths {
        std::uint32_t name, raw, source, target; // ids of fs.path.*
    };

    bool in_scope(const state::Thread* thread, const state::StateTracker& state);
    // processes.cpp
    std::uint32_t process_of(const Event& event);
    std::uint32_t add_process(const state::Thread& leader, const state::StateTracker& state);
    std::uint32_t known_process(const state::Thread& leader, const state::StateTracker& state);
    void describe(ProcessRow& row, const state::Thread& thread, const state::StateTracker& state);
    std::uint32_t container_of(const state::Thread& thread, const state::StateTracker& state);
    std::uint32_t user_of(std::uint32_t uid, const state::StateTracker& state);
    void take_process(const Event& event, std::uint32_t process);
    // files.cpp
    void take_file(const Event& event, std::uint32_t process);
    void take_open(const Event& event, std::uint32_t process);
    void take_io(const Event& event, std::uint32_t process);
    void take_change(const Event& event, std::uint32_t process, std::uint32_t change);
    FileRow* file(const Event& event, std::uint32_t process, std::string_view path,
                  std::string_view given);
    void change(const Event& event, std::uint32_t process, FileRow& row, std::uint32_t changes);
    std::string_view path(const Event& event, std::uint32_t field);
    // connections.cpp
    void take_connection(const Event& event, std::uint32_t process);
    ConnectionRow* connection(const Event& event, std::uint32_t process, const state::Fd& fd);
    // alerts
    void take_alerts(const Event& event, std::uint32_t process);

    std::string kept(std::string_view text);
    // Counts the event for the row, and keeps its line if the row has fewer than `most`.
    void count(const Event& event, Row& row, std::size_t most);
    void step(const Event& event, StepKind kind, std::uint32_t process, std::string_view text,
              std::uint32_t changes = 0);

    filter::Fields& fields_;
    const rules::RuleSet* rules_;
    const Scope scope_;
    OnStep on_step_;
    Paths paths_;
    std::vector<filter::Format> outputs_; // of each rule
    std::vector<std::uint64_t> matches_;

    std::deque<ProcessRow> processes_;
    state::FlatMap<std::uint32_t> by_pid_; // the last process with that id
    Table<FileRow> files_{kMostFiles};
    Table<ConnectionRow> connections_{kMostConnections};
    Table<ContainerRow> containers_{kMostContainers};
    Table<UserRow> users_{kMostUsers};
    std::vector<AlertRow> alerts_;
    DnsNames names_;
    Excerpts excerpts_;

    std::string key_; // members, so that their memory is used again
    filter::Value value_;
    std::uint64_t since_ns_ = 0;
    std::uint64_t events_ = 0, first_ns_ = 0, last_ns_ = 0;
    std::uint64_t refused_processes_ = 0, refused_alerts_ = 0, cut_texts_ = 0, drop_events_ = 0;
};

} // namespace tiercel::report
