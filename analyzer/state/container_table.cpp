// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/container_table.h"

namespace tiercel::state {

void Containers::meet(std::string_view cgroups) {
    if (!asked_)
        return;
    const ContainerName container = container_name(cgroups);
    // Runtimes know their containers by 64 digits.
    if (container.full_id.size() != 64 || known_.find(container.id) != known_.end())
        return;
    if (waiting_.size() == kMostWaiting) {
        ++counters_.passed_over; // the next process of the container calls meet() again
        return;
    }
    if (known_.size() == kMost) {
        close(order_.front());
        known_.erase(order_.front());
        order_.pop_front();
    }
    const std::string& id = order_.emplace_back(container.id);
    known_.emplace(id, Entry{});
    ++open_;
    waiting_.push_back({id, std::string(container.full_id), container.runtime});
}

std::optional<Containers::Met> Containers::take() {
    if (waiting_.empty())
        return std::nullopt;
    Met met = std::move(waiting_.front());
    waiting_.pop_front();
    return met;
}

void Containers::tell(const Met& met, Container container) {
    ++counters_.told;
    close(met.id);
    const auto found = known_.find(met.id);
    if (found != known_.end()) // otherwise it was forgotten meanwhile
        found->second.container = std::make_unique<Container>(std::move(container));
}

bool Containers::is_open(std::string_view id) const {
    const auto found = known_.find(id);
    return found != known_.end() && found->second.is_open;
}

void Containers::close(std::string_view id) {
    const auto found = known_.find(id);
    if (found == known_.end() || !std::exchange(found->second.is_open, false))
        return;
    --open_;
}

const Container* Containers::find(std::string_view id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : found->second.container.get();
}

} // namespace tiercel::state
