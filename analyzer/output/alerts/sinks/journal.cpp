// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/journal.h"

#include "shared/escape/escape.h"

namespace tiercel::alerts {

namespace {

// The value has no line break, which ends a field, because the text of every output is escaped.
void add(std::string& entry, std::string_view field, std::string_view value) {
    entry += field;
    entry += '=';
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
    add(entry, "RULE", escape::as_text(line.rule));
    if (!line.container_id.empty())
        add(entry, "CONTAINER_ID", escape::as_text(line.container_id));
    return entry;
}

} // namespace tiercel::alerts
