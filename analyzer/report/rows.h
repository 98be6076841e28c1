// SPDX-License-Identifier: Apache-2.0
//
// The rows of an incident report: what is known of each process, file, connection, container, user
// and alert. Rows refer to one another by their indexes; kNone means that there is none.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyzer/state/fd.h"

namespace tiercel::report {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// Times are ns since the epoch; 0: not known.
struct Row {
    std::uint64_t first_ns = 0, last_ns = 0; // of its first and last event
    std::uint64_t events = 0;
    std::vector<std::uint32_t> lines; // into Excerpts
};

struct ProcessRow : Row {
    std::int64_t pid = -1, ppid = -1;
    std::uint32_t parent = kNone, container = kNone;
    std::uint32_t user = kNone, last_user = kNone; // they differ if the process changed its user
    std::uint32_t threads = 0;
    std::string name, exe, command, first_command; // first_command: before the last exec
    std::uint64_t started_ns = 0, ended_ns = 0;
    std::int64_t exit_status = 0; // as wait(2) gives it; valid if ended_ns is set
    std::uint64_t execs = 0, alerts = 0;
    bool is_running = false; // listed by the state at the end
};

enum class FileChange : std::uint8_t {
#define FILE_CHANGE(symbol, word) symbol,
#include "analyzer/report/file_changes.def"
#undef FILE_CHANGE
};
constexpr std::uint32_t bit(FileChange change) {
    return 1U << static_cast<unsigned>(change);
}
// "deleted, mode set" of a mask of bits.
std::string words_of_changes(std::uint32_t changes);

// What a timeline shows, once for each process, file and connection.
enum class StepKind : std::uint8_t {
#define STEP(symbol, word, colour) symbol,
#include "analyzer/report/steps.def"
#undef STEP
};

struct Step {
    std::uint64_t ns, number; // of the event
    StepKind kind;
    std::uint32_t process;
    std::string_view text;     // a path, a peer, a command, a rule's message; valid during the call
    std::uint32_t changes = 0; // of StepKind::change
};

struct FileRow : Row {
    static constexpr std::size_t kMostProcesses = 16;

    std::string path;  // whole, as the tables know it
    std::string given; // as the process gave it, if that differs
    std::uint32_t container = kNone;
    std::vector<std::uint32_t> processes; // those that used it first
    std::uint64_t reads = 0, writes = 0;  // opens and calls
    std::uint64_t bytes_read = 0, bytes_written = 0;
    std::uint64_t failed = 0;  // calls that failed
    std::uint32_t changes = 0; // a mask of bit(FileChange)
};

struct ConnectionRow : Row {
    std::uint32_t process = kNone;
    std::string_view protocol;
    bool is_incoming = false, failed = false;
    std::string local, peer; // addresses with ports
    std::uint16_t port = 0;  // of the server's end
    std::string name;        // that DNS gave for the peer; empty: none was seen
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

struct ContainerRow : Row {
    std::string id, name, image;
    std::string_view runtime;
    std::uint64_t processes = 0;
};

struct UserRow : Row {
    std::uint32_t uid = 0;
    std::string name;
    std::uint64_t processes = 0;
};

struct AlertRow {
    std::uint64_t time_ns = 0, number = 0; // of the event
    std::uint32_t rule = 0;                // filter::RuleId
    std::uint32_t process = kNone, line = kNone;
    std::string message;
};

// Rows with a text as key. Memory is bounded: beyond `most` rows no further one is made.
template <typename RowType>
class Table {
  public:
    explicit Table(std::size_t most) : most_(most) {}

    // Returns the row's index, or kNone if it would be new and the table is full.
    std::uint32_t find(std::string_view key, bool& is_new) {
        is_new = false;
        if (const auto found = index_.find(key); found != index_.end())
            return found->second;
        if (rows_.size() == most_) {
            ++refused_;
            return kNone;
        }
        is_new = true;
        const auto index = static_cast<std::uint32_t>(rows_.size());
        index_.emplace(key, index);
        rows_.emplace_back();
        return index;
    }
    RowType& operator[](std::uint32_t index) { return rows_[index]; }
    const RowType& operator[](std::uint32_t index) const { return rows_[index]; }
    const std::deque<RowType>& rows() const { return rows_; }
    // Events that belong to no row because the table was full.
    std::uint64_t refused() const { return refused_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    std::size_t most_;
    std::deque<RowType> rows_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
    std::uint64_t refused_ = 0;
};

} // namespace tiercel::report
