// SPDX-License-Identifier: Apache-2.0
//
// Enrichment: asks the enricher about containers that the state has met, one at a time, and tells
// the state what their runtimes say. Never waits: what comes late is there for later events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/service/loop.h"
#include "analyzer/state/container_table.h"
#include "shared/wire/enrich.h"

namespace tiercel::app {

class Enrichment {
  public:
    // Before the sandbox: connects to the enricher at `path` (waiting three seconds for it to
    // listen), and puts itself on the loop. `containers` and `loop` are lent.
    static os::Result<std::unique_ptr<Enrichment>> make(const std::string& path,
                                                        state::Containers& containers, Loop& loop);

    // With an end of a socket pair instead. It becomes non-blocking.
    Enrichment(os::UniqueFd socket, state::Containers& containers);
    // When events were taken: asks about the next container, if none is being asked about.
    void ask_next();
    // When the socket is readable. False: it has ended.
    bool on_ready();
    // When a second has gone by: for those that no runtime knew yet.
    void on_second() { ++seconds_; }
    const os::UniqueFd& socket() const { return socket_; }
    // Why there are no more answers; empty: there are.
    const std::string& end() const { return end_; }

  private:
    // A container that is asked about, and which runtimes may know it.
    struct Asked {
        state::Containers::Met met;
        std::size_t runtime = 0; // index into those that may know it
        unsigned tries = 0;
        std::uint64_t since = 0; // seconds_: not before
    };
    void ask();
    void take_part(const void* record, std::size_t bytes);
    void judge(bool last);
    void no_answer();
    void stop(std::string why);

    os::UniqueFd socket_;
    state::Containers& containers_;
    std::optional<Asked> asked_;
    std::vector<Asked> again_; // those that no runtime knew
    std::string answer_;
    std::uint32_t number_ = 0;
    std::uint64_t seconds_ = 0;
    std::string end_;
};

} // namespace tiercel::app
