// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/journal.h"

#include <endian.h>

#include <cstdint>

namespace tiercel::alerts {

namespace {

// A value with a line break has its length before it: 64 bits in little-endian order.
void add(std::string& entry, std::string_view field, std::string_view value) {
    entry += field;
    if (value.find('\n') == std::string_view::npos) {
        entry += '=';
    } else {
        const std::uint64_t length = htole64(value.size());
        entry += '\n';
        entry.append(reinterpret_cast<const char*>(&length), sizeof length);
    }
    entry += value;
    entry += '\n';
}

} // namespace

std::string journal_entry(const Line& line) {
    std::string entry;
    add(entry, "MESSAGE", line.text);
    add(entry, "MESSAGE_ID", kAlertMessageId);
    add(entry, "PRIORITY", std::to_string(static_cast<int>(line.priority)));
    add(entry, "SYSLOG_IDENTIFIER", "tiercel");
    add(entry, "RULE", line.rule);
    if (!line.container_id.empty())
        add(entry, "CONTAINER_ID", line.container_id);
    return entry;
}

} // namespace tiercel::alerts
