// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/selection.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace tiercel::report {

namespace {

// Returns the rows by rank, those of one rank by `weight`, the greatest first.
template <typename Rank, typename Weight>
Order sorted(std::size_t rows, Rank rank, Weight weight) {
    Order order(rows);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, [&](std::uint32_t left, std::uint32_t right) {
        const int a = rank(left), b = rank(right);
        return a != b ? a < b : weight(left) > weight(right);
    });
    return order;
}

bool is_alerted(const Summary& summary, std::uint32_t process) {
    return process != kNone && summary.processes()[process].alerts > 0;
}

} // namespace

Order order_of_processes(const Summary& summary) {
    enum Rank : int { alerted, ancestor, child, busy, silent };
    const auto& rows = summary.processes();
    std::vector<int> ranks(rows.size(), busy);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (is_alerted(summary, rows[i].parent))
            ranks[i] = child;
        else if (rows[i].events == 0)
            ranks[i] = silent;
    }
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
        if (rows[i].alerts == 0)
            continue;
        ranks[i] = alerted;
        for (std::uint32_t at = rows[i].parent; at != kNone && ranks[at] > ancestor;
             at = rows[at].parent)
            ranks[at] = ancestor;
    }
    return sorted(
        rows.size(), [&](std::uint32_t i) { return ranks[i]; },
        [&](std::uint32_t i) { return rows[i].events; });
}

Order order_of_files(const Summary& summary) {
    const auto& rows = summary.files().rows();
    std::vector<int> ranks(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const FileRow& row = rows[i];
        const bool alerted = std::ranges::any_of(
            row.processes, [&](std::uint32_t process) { return is_alerted(summary, process); });
        const bool changed = row.changes != 0 || row.writes > 0;
        const bool only_failed = row.failed == row.events;
        ranks[i] = (only_failed ? 2 : changed ? 0 : 1) + (alerted ? 0 : 3);
    }
    return sorted(
        rows.size(), [&](std::uint32_t i) { return ranks[i]; },
        [&](std::uint32_t i) { return rows[i].events; });
}

Order order_of_connections(const Summary& summary) {
    const auto& rows = summary.connections().rows();
    return sorted(
        rows.size(), [&](std::uint32_t i) { return is_alerted(summary, rows[i].process) ? 0 : 1; },
        [&](std::uint32_t i) { return rows[i].bytes_in + rows[i].bytes_out; });
}

std::string end_of(const ProcessRow& process) {
    if (process.ended_ns == 0)
        return {};
    const int status = static_cast<int>(process.exit_status);
    if (!WIFSIGNALED(status))
        return "exit " + std::to_string(WEXITSTATUS(status));
    const char* name = sigabbrev_np(WTERMSIG(status));
    return name != nullptr ? std::string("killed by SIG") + name
                           : "killed by signal " + std::to_string(WTERMSIG(status));
}

std::string name_of(const UserRow& user) {
    return user.name.empty() ? std::to_string(user.uid) : user.name;
}

std::string name_of(const ContainerRow& container) {
    return container.name.empty() ? container.id : container.name;
}

} // namespace tiercel::report
