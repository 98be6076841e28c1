// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/event_line.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "analyzer/fields/params.h"
#include "analyzer/match/event_kind.h"
#include "analyzer/output/append.h"
#include "analyzer/output/param.h"
#include "shared/escape/escape.h"

namespace tiercel::output {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Colours {
    std::string_view quiet, process, type, failed, off;
};
constexpr Colours kColours{"\x1b[2m", "\x1b[32m", "\x1b[1;36m", "\x1b[1;31m", "\x1b[0m"};
constexpr Colours kNoColours{};

// Whether the first parameter, the result, is negative.
bool has_failed(const event::EventView& event) {
    const Param first = decode(event, 0);
    return (first.kind == ParamKind::result || first.kind == ParamKind::fd ||
            first.kind == ParamKind::pid) &&
           first.as_signed() < 0;
}

} // namespace

std::string_view type_of(const event::EventView& event) {
    const std::string_view name = filter::kind_name(filter::kind_of(event));
    return name.empty() ? event.info().name : name;
}

EventLine::EventLine(bool colour) : colour_(colour) {}

void EventLine::append_time(Buffer& out, std::uint64_t ts) {
    if (const std::uint64_t second = ts / kSecond; second != second_) {
        const auto seconds = static_cast<std::time_t>(second);
        std::tm local{};
        localtime_r(&seconds, &local);
        if (std::strftime(clock_, sizeof clock_, "%H:%M:%S", &local) == 0)
            std::strcpy(clock_, "--:--:--");
        second_ = second;
    }
    fmt::format_to(fmt::appender(out), "{}.{:09}", clock_, ts % kSecond);
}

void EventLine::append(Buffer& out, const Shown& shown) {
    const Colours& colour = colour_ ? kColours : kNoColours;
    const fmt::appender to(out);
    output::append(out, colour.quiet);
    fmt::format_to(to, "{} ", shown.number);
    append_time(out, shown.event.ts());
    fmt::format_to(to, " {}{} {}", shown.cpu, colour.off, colour.process);
    const state::Thread* thread = shown.engine.current().thread;
    if (thread != nullptr && !thread->comm.empty())
        escape::append_text(out, thread->comm.view());
    else
        output::append(out, "<NA>");
    // Iterator events have tgid << 32 | tid; the lower half is the thread id in all events.
    fmt::format_to(to, "{} ({}) {}{}{}", colour.off,
                   static_cast<std::uint32_t>(shown.event.raw_tid()),
                   colour_ && has_failed(shown.event) ? colour.failed : colour.type,
                   type_of(shown.event), colour.off);

    const state::Current& now = shown.engine.current();
    params_.clear();
    filter::append_params({.event = &shown.event,
                           .num = shown.number,
                           .cpu = shown.cpu,
                           .state = &shown.engine,
                           .thread = now.thread,
                           .fd = now.fd,
                           .fd_num = now.fd_num,
                           .hostname = nullptr,
                           .arena = nullptr},
                          params_);
    if (!params_.empty())
        out.push_back(' ');
    escape::append_text(out, params_);
    out.push_back('\n');
}

bool wants_colour(int fd) {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
           (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

} // namespace tiercel::output
