// SPDX-License-Identifier: Apache-2.0
//
// Containers holds what the runtimes say about each container. The tracker calls meet() for the
// containers of threads; the enricher's client calls take(), asks the runtime, and calls tell() or
// give_up(). An answer applies to events that the state processes later; until then the container
// is open, and the pipeline may hold its events back.
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
    std::string pod_name, pod_namespace, pod_ip;
    std::string sandbox_id; // of the pod, the full one
    using Labels = std::vector<std::pair<std::string, std::string>>;
    Labels labels, pod_labels; // by name
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
    void give_up(const Met& met) {
        ++counters_.unanswered;
        close(met.id);
    }
    // Whether the runtime is still to answer about the container. `id` is the short form.
    bool is_open(std::string_view id) const;
    std::size_t open_count() const { return open_; }
    // Does not wait for the answer any longer.
    void close(std::string_view id);
    // `id` is the short form. Returns nullptr if no answer has come.
    const Container* find(std::string_view id) const;

    struct Counters {
        std::uint64_t told = 0, unanswered = 0;
        std::uint64_t passed_over = 0; // met while the queue was full
    };
    const Counters& counters() const { return counters_; }
    // Whether remember() was called.
    bool asked() const { return asked_; }
    // Whether answers can come now.
    void set_answering(bool on) { answering_ = on; }
    bool is_answering() const { return answering_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view id) const {
            return std::hash<std::string_view>()(id);
        }
    };
    bool asked_ = false, answering_ = false;
    struct Entry {
        std::unique_ptr<Container> container; // nullptr: no answer has come yet
        bool is_open = true;
    };
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> known_;
    std::size_t open_ = 0;          // entries of known_ that are open
    std::deque<std::string> order_; // the ids of known_, oldest first
    std::deque<Met> waiting_;
    Counters counters_;
};

} // namespace tiercel::state
