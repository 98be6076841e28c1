// SPDX-License-Identifier: Apache-2.0
//
// Enrichment: asks the enricher about the containers that the state has met, one at a time, and
// gives the answers of their runtimes to the state. It never waits; the pipeline may hold events of
// containers back that are not answered. An enricher that ends is connected again when it is back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/observers/observer.h"
#include "analyzer/output/alerts/sinks/connector.h"
#include "analyzer/state/container_table.h"
#include "shared/wire/enrich.h"

namespace tiercel::app {

class Enrichment : public Observer {
  public:
    // Connects to the enricher at `path`, and waits three seconds for it to listen. If it does not,
    // a line says so, and it is tried again. `containers` must outlive the object. Forks a process,
    // so call it before any thread is started.
    static os::Result<std::unique_ptr<Enrichment>> make(const std::string& path,
                                                        state::Containers& containers);
    // Takes the socket, which becomes non-blocking; it may be invalid.
    Enrichment(os::UniqueFd socket, alerts::Connector connector, state::Containers& containers);

    os::Result<void> attach(Session session) override;
    // Asks about the next container, if no question is open.
    void tick(const Tick& tick) override;

  private:
    // A container with an open question.
    struct Asked {
        state::Containers::Met met;
        std::size_t runtime = 0; // index into the runtimes that may know it
        wire::enrich::Subject subject = wire::enrich::Subject::container;
        std::optional<state::Container> found; // its pod is asked about
        unsigned tries = 0;
        std::uint64_t since_ns = 0; // do not ask before
    };
    void use(os::UniqueFd socket);
    void ask_next();
    void ask();
    void reconnect(std::uint64_t now_ns);
    // Returns false if the connection has ended.
    bool on_ready();
    void take_part(const void* record, std::size_t bytes);
    void report_failure(int error);
    void judge(bool last);
    void judge_call(bool last);
    void tell(state::Container container);
    void no_answer();
    void stop(std::string why);

    os::UniqueFd ended_;  // the first connection, when it has ended
    os::UniqueFd socket_; // invalid while the enricher is not there
    alerts::Connector connector_;
    state::Containers& containers_;
    bool is_watched_ = false; // the loop calls on_ready() of the first connection
    std::optional<Asked> asked_;
    std::vector<Asked> again_; // containers that no runtime knew
    std::string answer_;
    std::array<int, wire::enrich::kRuntimes> reported_{}; // errno of each runtime that failed
    std::uint32_t number_ = 0;
    std::uint64_t now_ns_ = 0, next_attempt_ns_ = 0;
};

} // namespace tiercel::app
