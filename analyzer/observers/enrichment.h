// SPDX-License-Identifier: Apache-2.0
//
// Enrichment: asks the enricher about the containers that the state has met, one at a time, and
// gives the answers of their runtimes to the state. It never waits: a late answer serves later
// events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/observers/observer.h"
#include "analyzer/state/container_table.h"
#include "shared/wire/enrich.h"

namespace tiercel::app {

class Enrichment : public Observer {
  public:
    // Connects to the enricher at `path`, and waits three seconds for it to listen. `containers`
    // must outlive the object.
    static os::Result<std::unique_ptr<Enrichment>> make(const std::string& path,
                                                        state::Containers& containers);
    // Takes the socket, which becomes non-blocking.
    Enrichment(os::UniqueFd socket, state::Containers& containers);

    os::Result<void> attach(Session session) override;
    // Asks about the next container, if no question is open.
    void tick(const Tick&) override;

  private:
    // A container with an open question.
    struct Asked {
        state::Containers::Met met;
        std::size_t runtime = 0; // index into the runtimes that may know it
        unsigned tries = 0;
        std::uint64_t since = 0; // seconds_: do not ask before
    };
    void ask_next();
    void ask();
    // Returns false if the connection has ended.
    bool on_ready();
    void take_part(const void* record, std::size_t bytes);
    void judge(bool last);
    void no_answer();
    void stop(std::string why);

    os::UniqueFd socket_;
    state::Containers& containers_;
    std::optional<Asked> asked_;
    std::vector<Asked> again_; // containers that no runtime knew
    std::string answer_;
    std::uint32_t number_ = 0;
    std::uint64_t seconds_ = 0;
    std::string end_; // why there are no more answers; empty: there are
};

} // namespace tiercel::app
