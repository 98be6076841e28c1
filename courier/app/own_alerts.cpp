// SPDX-License-Identifier: Apache-2.0
#include "courier/app/own_alerts.h"

#include <unistd.h>

#include <array>

#include "courier/delivery/text.h"
#include "shared/escape/escape.h"
#include "shared/os/clock.h"
#include "shared/wire/boot_id.h"

namespace tiercel::courier {

namespace {

constexpr std::uint8_t kWarning = 4, kInformational = 6;
// The sequences of the courier itself have this bit, so that they are none of the analyzer's.
constexpr std::uint64_t kOwn = std::uint64_t{1} << 63;

} // namespace

OwnAlerts::OwnAlerts()
    : boot_(wire::courier::boot_id()), session_(os::now_ns(CLOCK_BOOTTIME) | kOwn),
      sequence_(session_) {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    host_ = name;
}

// The alert has the keys of the analyzer's own alerts, in the same order.
Record OwnAlerts::make(const Notice& notice) {
    const std::uint64_t now = os::now_ns(CLOCK_REALTIME);
    const std::string_view priority = notice.good ? "Informational" : "Warning";
    rule_ = "Tiercel internal: " + notice.what;
    text_ = R"({"hostname":)";
    escape::append_json(text_, host_);
    text_ += R"(,"output":)";
    escape::append_json(text_, iso_time(now) + ": " + std::string(priority) + ' ' + rule_ + ". " +
                                   notice.message);
    text_ += R"(,"output_fields":{"destination":)";
    escape::append_json(text_, notice.destination);
    if (notice.dropped > 0)
        text_ += R"(,"dropped":)" + std::to_string(notice.dropped);
    for (const auto& [name, value] : notice.tags) {
        text_ += ',';
        escape::append_json(text_, name);
        text_ += ':';
        escape::append_json(text_, value);
    }
    text_ += R"(},"priority":)";
    escape::append_json(text_, priority);
    text_ += R"(,"rule":)";
    escape::append_json(text_, rule_);
    text_ += R"(,"source":"internal","tags":[],"time":)";
    escape::append_json(text_, iso_time(now));
    text_ += '}';
    return {.boot = boot_,
            .session = session_,
            .sequence = ++sequence_,
            .time_ns = now,
            .priority = notice.good ? kInformational : kWarning,
            .host = host_,
            .rule = rule_,
            .text = text_};
}

} // namespace tiercel::courier
