// SPDX-License-Identifier: Apache-2.0
//
// Containers holds what the runtimes say about each container. The tracker calls meet() for the
// containers of threads; the enricher's client calls take(), asks the runtime, and calls tell(). An
// answer applies to later events only.
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

// A runtime's answer about one container. A member is empty if the answer does not have it.
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
    std::uint64_t started_ns = 0; // since the epoch; 0 if not known
};

class Containers {
  public:
    // Users may create cgroups with any name, so both tables are bounded. Beyond kMost containers
    // the oldest is forgotten. Beyond kMostWaiting a container is not asked about.
    static constexpr std::size_t kMost = 1024, kMostWaiting = 256;

    struct Met {
        std::string id; // as shown
        std::string full_id;
        ContainerRuntime runtime;
    };

    // Makes meet() queue containers for take(). Without this call nothing is queued.
    void remember() { asked_ = true; }
    // Records the container of a thread that has these cgroups.
    void meet(std::string_view cgroups);
    // The next container to ask about; nothing if the queue is empty.
    std::optional<Met> take();
    void tell(const Met& met, Container container);
    // Counts a container that no runtime knows, or for which no runtime could be asked.
    void give_up() { ++counters_.unanswered; }
    // `id` is the short form. Returns nullptr if no answer has come.
    const Container* find(std::string_view id) const;

    struct Counters {
        std::uint64_t told = 0, unanswered = 0;
        std::uint64_t passed_over = 0; // met while the queue was full
    };
    const Counters& counters() const { return counters_; }
    // Whether remember() was called.
    bool asked() const { return asked_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view id) const {
            return std::hash<std::string_view>()(id);
        }
    };
    bool asked_ = false;
    // nullptr: the container was met, and no answer has come yet.
    std::unordered_map<std::string, std::unique_ptr<Container>, Hash, std::equal_to<>> known_;
    std::deque<std::string> order_; // the ids of known_, oldest first
    std::deque<Met> waiting_;
    Counters counters_;
};

} // namespace tiercel::state
