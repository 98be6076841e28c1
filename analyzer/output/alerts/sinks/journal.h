// SPDX-License-Identifier: Apache-2.0
//
// The journal's native protocol (systemd: docs/JOURNAL_NATIVE_PROTOCOL.md): an entry is one
// datagram of lines FIELD=VALUE.
#pragma once

#include <string>

#include "analyzer/output/alerts/sink.h"

namespace tiercel::alerts {

inline constexpr char kJournalSocket[] = "/run/systemd/journal/socket";
// The MESSAGE_ID of every alert, by which journalctl finds alerts among other messages.
inline constexpr char kAlertMessageId[] = "6f3b0e5c5d1f4a0f9c0a7d9f3a5b2e71";

// Returns the entry: MESSAGE, MESSAGE_ID, PRIORITY (as syslog(3) numbers it), RULE,
// SYSLOG_IDENTIFIER, and CONTAINER_ID for alerts of containers.
std::string journal_entry(const Line& line);

} // namespace tiercel::alerts
