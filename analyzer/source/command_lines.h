// SPDX-License-Identifier: Apache-2.0
//
// CommandLines: the command lines of processes that already run, from /proc/PID/cmdline, for a
// driver whose iterators cannot read them. The kernel reads only anonymous memory for that file, so
// no process can make the read wait for a file server (CVE-2018-1120). A process can still hold its
// own memory lock, so a child process reads the files, and a process that blocks it is left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiercel::app {

class CommandLines {
  public:
    static constexpr std::size_t kLongest = 4096; // bytes kept of one command line, as in events
    static constexpr std::chrono::milliseconds kEach{100}, kAll{1000},
        kReap{250}; // the longest waits

    // Reads the files of all processes that this user may see. Call before entering the sandbox.
    // Reads for kAll at the most; a process that takes longer than kEach counts as blocked. Then
    // waits up to kReap for the children that it killed.
    static CommandLines read();

    // The command line with its NULs; empty if it is not known.
    std::string_view find(std::int64_t pid) const;
    // How many processes were not read because one of them blocked, or because time ran out.
    std::size_t missed() const { return missed_; }

  private:
    std::unordered_map<std::int64_t, std::string> texts_;
    std::size_t missed_ = 0;
};

} // namespace tiercel::app
