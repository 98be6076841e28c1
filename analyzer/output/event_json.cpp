// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/event_json.h"

#include <ctime>

#include "analyzer/output/append.h"
#include "analyzer/output/json_keys.h"
#include "analyzer/output/value_json.h"
#include "shared/escape/escape.h"

namespace tiercel::output {

namespace {

namespace key = event_key;

constexpr std::uint64_t kSecond = 1'000'000'000;

// Appends `,"NAME":`.
void append_key(Buffer& out, std::string_view name) {
    append(out, ",\"");
    append(out, name);
    append(out, "\":");
}

void append_process(Buffer& out, const Shown& shown) {
    const state::Thread* thread = shown.engine.current().thread;
    append_key(out, key::process_name);
    if (thread != nullptr && !thread->is_placeholder())
        escape::append_json(out, thread->comm.view());
    else
        append(out, "null");
    append_key(out, key::process_id);
    if (thread != nullptr && !thread->is_placeholder())
        fmt::format_to(fmt::appender(out), "{}", thread->pid);
    else
        append(out, "null");
    append_key(out, key::thread_id);
    fmt::format_to(fmt::appender(out), "{}", static_cast<std::uint32_t>(shown.event.raw_tid()));
    if (thread != nullptr && !thread->container_id.empty()) {
        append_key(out, key::container_id);
        escape::append_json(out, thread->container_id.view());
    }
    if (const state::Fd* fd = shown.engine.current().fd; fd != nullptr && !fd->name.empty()) {
        append_key(out, key::fd_name);
        escape::append_json(out, fd->name.view());
    }
}

} // namespace

void EventJson::append_time(Buffer& out, std::uint64_t ts) {
    if (const std::uint64_t second = ts / kSecond; second != second_) {
        const auto seconds = static_cast<std::time_t>(second);
        std::tm utc{};
        gmtime_r(&seconds, &utc);
        if (std::strftime(date_, sizeof date_, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
            date_[0] = '\0';
        second_ = second;
    }
    fmt::format_to(fmt::appender(out), ",\"{}\":{},\"{}\":\"{}.{:09}Z\"", key::time, ts,
                   key::iso_time, date_, ts % kSecond);
}

void EventJson::append(Buffer& out, const Shown& shown) {
    const fmt::appender to(out);
    fmt::format_to(to, "{{\"{}\":{}", key::num, shown.number);
    append_time(out, shown.event.ts());
    fmt::format_to(to, ",\"{}\":{},\"{}\":\"{}\",\"{}\":\"{}\"", key::cpu, shown.cpu, key::type,
                   type_of(shown.event), key::category,
                   event::category_name(shown.event.info().category));
    append_process(out, shown);
    append_key(out, key::params);
    out.push_back('{');
    const auto params = shown.event.info().params;
    for (std::uint32_t i = 0; i < params.size(); ++i) {
        fmt::format_to(to, "{}\"{}\":", i == 0 ? "" : ",", params[i].name);
        append_json_value(out, decode(shown.event, i));
    }
    output::append(out, "}}\n");
}

} // namespace tiercel::output
