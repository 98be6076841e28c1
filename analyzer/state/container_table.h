// SPDX-License-Identifier: Apache-2.0
//
// Containers: what is known of each container besides its id: what its runtime has said, if anybody
// asked. The state meets containers in events; whoever can ask takes those that were met, and tells
// what came back, late and for later events only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/state/container.h"

namespace tiercel::state {

// What a runtime says of a container. Empty, or nothing: it did not say.
struct Container {
    struct Mount {
        std::string source, destination, mode, propagation;
        bool writable = false;
    };
    std::string id; // the full one
    ContainerRuntime runtime = ContainerRuntime::unknown;
    std::string name, image, image_id, repository, tag, digest, ip;
    std::string pod_name, pod_namespace;
    std::vector<std::pair<std::string, std::string>> labels; // by name
    std::vector<Mount> mounts;
    std::optional<bool> privileged, host_pid, host_network, host_ipc;
    std::uint64_t started_ns = 0; // since the epoch; 0: not said
};

class Containers {
  public:
    // Cgroups can be named by whoever may make some, so all of this has bounds. Beyond the first,
    // what was told longest ago is forgotten; beyond the second, containers are not asked about.
    static constexpr std::size_t kMost = 1024, kMostWaiting = 256;

    struct Met {
        std::string id; // as shown
        std::string full_id;
        ContainerRuntime runtime;
    };

    // From now on those that are met wait to be taken. Without it nobody asks, and none does.
    void remember() { asked_ = true; }
    // Of a thread that was found with these cgroups.
    void meet(std::string_view cgroups);
    // The next to be asked about; nothing: all have been.
    std::optional<Met> take();
    void tell(const Met& met, Container container);
    // No runtime knows it, or none could be asked.
    void give_up() { ++counters_.unanswered; }
    // `id`: as shown. nullptr: nothing has been said of it.
    const Container* find(std::string_view id) const;

    struct Counters {
        std::uint64_t told = 0, unanswered = 0;
        std::uint64_t passed_over = 0; // met when too many waited
    };
    const Counters& counters() const { return counters_; }
    // Whether anybody asks.
    bool asked() const { return asked_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view id) const {
            return std::hash<std::string_view>()(id);
        }
    };
    bool asked_ = false;
    // nullptr: met, and nothing was said yet.
    std::unordered_map<std::string, std::unique_ptr<Container>, Hash, std::equal_to<>> known_;
    std::deque<std::string> order_; // of known_
    std::deque<Met> waiting_;
    Counters counters_;
};

} // namespace tiercel::state
