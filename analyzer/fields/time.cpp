// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event's time, and times as text.
#include "analyzer/fields/time.h"

#include <ctime>

#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000, kMillisecond = 1'000'000;

std::tm local(std::uint64_t ns) {
    const auto seconds = static_cast<std::time_t>(ns / kSecond);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return parts;
}

void append_time(std::string& out, const std::tm& parts, const char* format) {
    char text[64];
    out.append(text, std::strftime(text, sizeof text, format, &parts));
}

void append_fraction(std::string& out, std::uint64_t ns) {
    char digits[10];
    std::uint64_t rest = ns % kSecond;
    for (int i = 9; i > 0; --i, rest /= 10)
        digits[i] = static_cast<char>('0' + rest % 10);
    digits[0] = '.';
    out.append(digits, sizeof digits);
}

std::uint64_t since_first(const EventContext& event) {
    return event.event->ts() - event.state->first_event_time();
}

// Time since the event before, in ns; 0 for the first event, and for one that was held back.
std::uint64_t since_previous(const EventContext& event) {
    const std::uint64_t before = event.state->previous_event_time();
    return before != 0 && event.event->ts() > before ? event.event->ts() - before : 0;
}

std::string clock_text(const EventContext& event) {
    std::string text;
    append_clock(text, event.event->ts(), true);
    return text;
}

std::string clock_text_whole(const EventContext& event) {
    std::string text;
    append_clock(text, event.event->ts(), false);
    return text;
}

std::string date_text(const EventContext& event) {
    std::string text;
    append_date(text, event.event->ts(), true);
    return text;
}

std::string date_text_whole(const EventContext& event) {
    std::string text;
    append_date(text, event.event->ts(), false);
    return text;
}

std::string iso_text(const EventContext& event) {
    std::string text;
    append_iso8601(text, event.event->ts());
    return text;
}

// The distance from the time in brackets, in ms, rounded up: `<= D` then means within D ms.
Values around(const EventContext& event, const Argument& argument, Value& single) {
    const std::uint64_t ns = event.event->ts(), then = static_cast<std::uint64_t>(argument.index);
    const std::uint64_t distance = ns > then ? ns - then : then - ns;
    return unsigned_value(single, distance / kMillisecond + (distance % kMillisecond != 0 ? 1 : 0));
}

constexpr FieldInfo kFields[] = {
    {"evt.time", kText, "Time of day of the event, with nanoseconds.", of_event<clock_text>},
    {"evt.time.s", kText, "Time of day of the event, whole seconds.", of_event<clock_text_whole>},
    {"evt.time.iso8601", kText,
     "Date and time of the event in ISO 8601, with nanoseconds and zone.", of_event<iso_text>},
    {"evt.datetime", kText, "Date and time of the event, with nanoseconds.", of_event<date_text>},
    {"evt.datetime.s", kText, "Date and time of the event, whole seconds.",
     of_event<date_text_whole>},
    {"evt.outputtime", kText,
     "Time of the event in the form that outputs use; here the time of day.", of_event<clock_text>},
    {"evt.rawtime", kAbsTime, "Time of the event, ns since the epoch.",
     of_event<[](const EventContext& event) { return event.event->ts(); }>, cost(1)},
    {"evt.rawtime.s", kAbsTime, "Time of the event, s since the epoch.",
     of_event<[](const EventContext& event) { return event.event->ts() / kSecond; }>, cost(1)},
    {"evt.rawtime.ns", kAbsTime, "The fraction of a second of evt.rawtime, in ns.",
     of_event<[](const EventContext& event) { return event.event->ts() % kSecond; }>, cost(1)},
    {"evt.reltime", kRelTime, "Time since the first event, in ns.", of_event<since_first>, cost(1)},
    {"evt.reltime.s", kRelTime, "Time since the first event, in s.",
     of_event<[](const EventContext& event) { return since_first(event) / kSecond; }>, cost(1)},
    {"evt.reltime.ns", kRelTime, "The fraction of a second of evt.reltime, in ns.",
     of_event<[](const EventContext& event) { return since_first(event) % kSecond; }>, cost(1)},
    {"evt.deltatime", kRelTime, "Time since the event before, in ns.", of_event<since_previous>,
     cost(1)},
    {"evt.deltatime.s", kRelTime, "Time since the event before, in s.",
     of_event<[](const EventContext& event) { return since_previous(event) / kSecond; }>, cost(1)},
    {"evt.deltatime.ns", kRelTime, "The fraction of a second of evt.deltatime, in ns.",
     of_event<[](const EventContext& event) { return since_previous(event) % kSecond; }>, cost(1),
     FieldPrint::padded9},
    {"evt.around", kUint64,
     "evt.around[TIME]=MS holds within MS milliseconds of TIME, which is in ns, as evt.rawtime.",
     around, FieldArgument::number, cost(1)},
};

} // namespace

void append_clock(std::string& out, std::uint64_t ns, bool with_fraction) {
    append_time(out, local(ns), "%H:%M:%S");
    if (with_fraction)
        append_fraction(out, ns);
}

void append_date(std::string& out, std::uint64_t ns, bool with_fraction) {
    const std::tm parts = local(ns);
    append_time(out, parts, "%Y-%m-%d %H:%M:%S");
    if (with_fraction)
        append_fraction(out, ns);
    append_time(out, parts, " %z");
}

void append_iso8601(std::string& out, std::uint64_t ns) {
    const std::tm parts = local(ns);
    append_time(out, parts, "%Y-%m-%dT%H:%M:%S");
    append_fraction(out, ns);
    append_time(out, parts, "%z");
}

std::span<const FieldInfo> time_fields() {
    return kFields;
}

} // namespace tiercel::filter
