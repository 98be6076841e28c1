// SPDX-License-Identifier: Apache-2.0
//
// Intake: the analyzers' connections. It writes alerts to the spool and confirms them afterwards.
// While the spool cannot be written, it reads no more, so that alerts wait in the analyzer.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "courier/spool/spool.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

class Intake {
  public:
    // `listener` is a listening SOCK_STREAM Unix socket; only the account `served` may connect.
    // `spool` must outlive the intake.
    Intake(os::UniqueFd listener, uid_t served, Spool& spool);

    // Waits up to `milliseconds` for connections and alerts, and takes them. Signals of `unblocked`
    // end the wait.
    void turn(int milliseconds, const sigset_t& unblocked);
    // Returns how many clients are connected: analyzers, among them those of `tiercel top`.
    std::size_t analyzers() const;
    // Returns the sums of the rules that they have loaded, of those that told one.
    std::vector<wire::courier::Sha256> rules() const;
    // Tells the analyzers the state of the destinations.
    void tell(std::span<const wire::courier::State> states);

  private:
    struct Peer {
        os::UniqueFd fd;
        std::string bytes; // received, and not yet stored
        bool greeted = false;
        wire::courier::Boot boot{};
        std::uint64_t session = 0;
        std::string host;
        std::optional<wire::courier::Sha256> rules;
        std::uint64_t stored = 0; // the last sequence in the spool
        std::uint64_t told = 0;   // the last sequence that was confirmed
    };

    void accept();
    // The functions below return false if the connection has to be closed.
    bool receive(Peer& peer) const;
    bool store(Peer& peer);
    bool take_hello(Peer& peer, std::string_view record);
    static bool take_rules(Peer& peer, std::string_view record);
    bool take_alert(Peer& peer, std::string_view record);
    bool commit(Peer& peer, std::size_t bytes);
    static bool confirm(Peer& peer);

    os::UniqueFd listener_;
    uid_t served_;
    Spool& spool_;
    std::vector<Peer> peers_;
    std::vector<Record> records_; // of the peer that is being read
    std::uint64_t last_ = 0;      // the sequence of the last of them
    bool full_ = false;           // the spool could not be written
};

} // namespace tiercel::courier
