// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/listing.h"

#include "analyzer/fields/list.h"
#include "analyzer/output/append.h"
#include "shared/event/table.h"

namespace tiercel::app {

namespace {

using output::append;

template <typename Each>
void each_emitted(Each&& each) {
    for (const event::EventInfo& info : event::events())
        if (info.emitted)
            each(info);
}

void append_flag_set(output::Buffer& out, const event::ParamInfo& param) {
    if (param.flags != event::FlagSet::none)
        fmt::format_to(fmt::appender(out), " {}", event::flag_set_name(param.flags));
}

void as_text(output::Buffer& out, const event::EventInfo& info) {
    fmt::format_to(fmt::appender(out), "{} ({}, {})\n", info.name, info.symbol,
                   event::category_name(info.category));
    for (const event::ParamInfo& param : info.params) {
        fmt::format_to(fmt::appender(out), "    {:<20} {}", param.name,
                       event::type_name(param.type));
        append_flag_set(out, param);
        out.push_back('\n');
    }
}

void as_markdown(output::Buffer& out, const event::EventInfo& info) {
    fmt::format_to(fmt::appender(out), "| {} | {} | {} | ", info.name, info.code,
                   event::category_name(info.category));
    bool first = true;
    for (const event::ParamInfo& param : info.params) {
        fmt::format_to(fmt::appender(out), "{}`{}` {}", first ? "" : ", ", param.name,
                       event::type_name(param.type));
        first = false;
    }
    append(out, " |\n");
}

void as_json(output::Buffer& out, const event::EventInfo& info) {
    fmt::format_to(fmt::appender(out),
                   R"({{"name":"{}","code":{},"symbol":"{}","category":"{}","params":[)", info.name,
                   info.code, info.symbol, event::category_name(info.category));
    bool first = true;
    for (const event::ParamInfo& param : info.params) {
        fmt::format_to(fmt::appender(out), R"({}{{"name":"{}","type":"{}")", first ? "" : ",",
                       param.name, event::type_name(param.type));
        if (param.flags != event::FlagSet::none)
            fmt::format_to(fmt::appender(out), R"(,"flags":"{}")",
                           event::flag_set_name(param.flags));
        out.push_back('}');
        first = false;
    }
    append(out, "]}");
}

} // namespace

void list_syscalls(output::Buffer& out) {
    fmt::format_to(fmt::appender(out), "{:<28} {:>6} {}\n", "SYSCALL", "NUMBER", "EVENT");
    for (const event::SyscallInfo& call : event::syscalls()) {
        const int number = event::native_number(call);
        const event::EventInfo* info = event::find(call.event);
        fmt::format_to(fmt::appender(out), "{:<28} {:>6} {}\n", call.name,
                       number < 0 ? std::string("-") : std::to_string(number),
                       info != nullptr ? info->name : std::string_view());
    }
}

void list_events(output::Buffer& out, Form form) {
    bool first = true;
    if (form == Form::markdown)
        append(out, "| Event | Code | Category | Parameters |\n|---|---|---|---|\n");
    each_emitted([&](const event::EventInfo& info) {
        switch (form) {
        case Form::text: as_text(out, info); break;
        case Form::markdown: as_markdown(out, info); break;
        case Form::json:
            append(out, first ? "[" : ",\n ");
            as_json(out, info);
            break;
        }
        first = false;
    });
    if (form == Form::json)
        append(out, "]\n");
}

std::string list_fields(Form form) {
    using filter::ListStyle;
    return filter::list_fields(form == Form::json       ? ListStyle::json
                               : form == Form::markdown ? ListStyle::markdown
                                                        : ListStyle::text);
}

} // namespace tiercel::app
