// SPDX-License-Identifier: Apache-2.0
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

enum TimeVariant : std::uint16_t {
    CLOCK,
    CLOCK_S,
    ISO,
    DATE,
    DATE_S,
    RAW,
    RAW_S,
    RAW_NS,
    REL,
    REL_S,
    REL_NS,
    DELTA,
    DELTA_S,
    DELTA_NS,
};

Values time_text(const EventContext& event, const Argument& argument, Value& single) {
    std::string& text = event.arena->scratch();
    const std::uint64_t ns = event.event->ts();
    switch (argument.variant) {
    case CLOCK: append_clock(text, ns, true); break;
    case CLOCK_S: append_clock(text, ns, false); break;
    case ISO: append_iso8601(text, ns); break;
    case DATE: append_date(text, ns, true); break;
    default: append_date(text, ns, false); break;
    }
    return text_value(single, event.arena->copy(text));
}

// How far from the time in brackets, in ms: rounded up, so that within D ms is within D.
Values around(const EventContext& event, const Argument& argument, Value& single) {
    const std::uint64_t ns = event.event->ts(), then = static_cast<std::uint64_t>(argument.index);
    const std::uint64_t distance = ns > then ? ns - then : then - ns;
    return unsigned_value(single, distance / kMillisecond + (distance % kMillisecond != 0 ? 1 : 0));
}

Values time_number(const EventContext& event, const Argument& argument, Value& single) {
    const std::uint64_t ns = event.event->ts();
    const std::uint64_t since_first = ns - event.state->first_event_time();
    const std::uint64_t before = event.state->previous_event_time();
    const std::uint64_t delta = before != 0 ? ns - before : 0;
    switch (argument.variant) {
    case RAW: return unsigned_value(single, ns);
    case RAW_S: return unsigned_value(single, ns / kSecond);
    case RAW_NS: return unsigned_value(single, ns % kSecond);
    case REL: return unsigned_value(single, since_first);
    case REL_S: return unsigned_value(single, since_first / kSecond);
    case REL_NS: return unsigned_value(single, since_first % kSecond);
    case DELTA: return unsigned_value(single, delta);
    case DELTA_S: return unsigned_value(single, delta / kSecond);
    default: return unsigned_value(single, delta % kSecond);
    }
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;
constexpr auto kPadded = FieldPrint::padded9;

constexpr FieldInfo kFields[] = {
    {"evt.time", "CHARBUF", T, "Time of day of the event, with nanoseconds.", time_text, CLOCK},
    {"evt.time.s", "CHARBUF", T, "Time of day of the event, whole seconds.", time_text, CLOCK_S},
    {"evt.time.iso8601", "CHARBUF", T,
     "Date and time of the event in ISO 8601, with nanoseconds and zone.", time_text, ISO},
    {"evt.datetime", "CHARBUF", T, "Date and time of the event, with nanoseconds.", time_text,
     DATE},
    {"evt.datetime.s", "CHARBUF", T, "Date and time of the event, whole seconds.", time_text,
     DATE_S},
    {"evt.outputtime", "CHARBUF", T,
     "Time of the event as the output is set to show it; here the time of day.", time_text, CLOCK},
    {"evt.rawtime", "ABSTIME", U, "Time of the event, ns since the epoch.", time_number, RAW, kNone,
     kSingle, 1},
    {"evt.rawtime.s", "ABSTIME", U, "Time of the event, s since the epoch.", time_number, RAW_S,
     kNone, kSingle, 1},
    {"evt.rawtime.ns", "ABSTIME", U, "The fraction of a second of evt.rawtime, in ns.", time_number,
     RAW_NS, kNone, kSingle, 1},
    {"evt.reltime", "RELTIME", U, "Time since the first event, in ns.", time_number, REL, kNone,
     kSingle, 1},
    {"evt.reltime.s", "RELTIME", U, "Time since the first event, in s.", time_number, REL_S, kNone,
     kSingle, 1},
    {"evt.reltime.ns", "RELTIME", U, "The fraction of a second of evt.reltime, in ns.", time_number,
     REL_NS, kNone, kSingle, 1},
    {"evt.deltatime", "RELTIME", U, "Time since the event before, in ns.", time_number, DELTA,
     kNone, kSingle, 1},
    {"evt.deltatime.s", "RELTIME", U, "Time since the event before, in s.", time_number, DELTA_S,
     kNone, kSingle, 1},
    {"evt.deltatime.ns", "RELTIME", U, "The fraction of a second of evt.deltatime, in ns.",
     time_number, DELTA_NS, kNone, kSingle, 1, kPadded},
    {"evt.around", "UINT64", U,
     "evt.around[TIME]=MS holds within MS milliseconds of TIME, which is in ns, as evt.rawtime.",
     around, 0, FieldArgument::number, kSingle, 1},
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
