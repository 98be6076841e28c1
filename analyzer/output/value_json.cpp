// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/value_json.h"

#include <sys/socket.h>

#include <cmath>

#include "analyzer/output/append.h"
#include "shared/escape/escape.h"

namespace tiercel::output {

namespace {

std::string_view as_chars(event::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_named(Buffer& out, std::uint64_t value, std::string_view prefix,
                  std::string_view name) {
    fmt::format_to(fmt::appender(out), "{{\"value\":{}", value);
    if (!name.empty()) // names of the table need no escapes
        fmt::format_to(fmt::appender(out), ",\"name\":\"{}{}\"", prefix, name);
    out.push_back('}');
}

// {"value":…,"names":[…]} from a function that calls its argument with each name.
template <typename ForEach>
void append_names(Buffer& out, std::uint64_t value, ForEach&& for_each) {
    fmt::format_to(fmt::appender(out), "{{\"value\":{},\"names\":[", value);
    bool first = true;
    for_each([&](std::string_view prefix, std::string_view name) {
        fmt::format_to(fmt::appender(out), "{}\"{}{}\"", first ? "" : ",", prefix, name);
        first = false;
    });
    append(out, "]}");
}

void append_endpoint(Buffer& out, const Endpoint& end) {
    fmt::format_to(fmt::appender(out), "\"ip\":\"{}\"", end.ip);
    if (end.port >= 0)
        fmt::format_to(fmt::appender(out), ",\"port\":{}", end.port);
}

void append_addresses(Buffer& out, const Param& param) {
    Addresses ends;
    if (!decode_addresses(param, ends)) {
        fmt::format_to(fmt::appender(out), "{{\"family\":{},\"base64\":\"", ends.family);
        escape::append_base64(out, param.bytes);
        return append(out, "\"}");
    }
    if (ends.family == AF_UNIX) {
        append(out, "{\"family\":\"unix\",\"path\":");
        escape::append_json(out, ends.path);
        return out.push_back('}');
    }
    append(out, ends.family == AF_INET ? "{\"family\":\"ipv4\"," : "{\"family\":\"ipv6\",");
    if (param.kind == ParamKind::address) {
        append_endpoint(out, ends.source);
    } else {
        append(out, "\"source\":{");
        append_endpoint(out, ends.source);
        append(out, "},\"destination\":{");
        append_endpoint(out, ends.destination);
        out.push_back('}');
    }
    out.push_back('}');
}

void append_bytes(Buffer& out, event::Bytes bytes) {
    const std::string_view chars = as_chars(bytes);
    if (chars.find('\0') == std::string_view::npos && escape::is_utf8(chars))
        return escape::append_json(out, chars);
    append(out, "{\"base64\":\"");
    escape::append_base64(out, bytes);
    append(out, "\"}");
}

void append_texts(Buffer& out, std::string_view texts) {
    out.push_back('[');
    for (bool first = true; !texts.empty(); first = false) {
        const std::size_t end = texts.find('\0');
        if (!first)
            out.push_back(',');
        escape::append_json(out, texts.substr(0, end));
        texts.remove_prefix(end == std::string_view::npos ? texts.size() : end + 1);
    }
    out.push_back(']');
}

void append_signals(Buffer& out, std::uint64_t set) {
    append_names(out, set, [&](auto&& name) {
        for (std::uint64_t number = 1; number <= 32; ++number)
            if ((set >> (number - 1) & 1) != 0 && !signal_name(number).empty())
                name("SIG", signal_name(number));
    });
}

void append_fd_list(Buffer& out, event::Bytes list) {
    out.push_back('[');
    bool first = true;
    for_each_fd(list, [&](std::int64_t fd, std::int16_t flags) {
        fmt::format_to(fmt::appender(out), "{}{{\"fd\":{},\"events\":{}}}", first ? "" : ",", fd,
                       static_cast<std::uint16_t>(flags));
        first = false;
    });
    out.push_back(']');
}

} // namespace

void append_json_value(Buffer& out, const Param& param) {
    const fmt::appender to(out);
    switch (param.kind) {
    case ParamKind::none: return append(out, "null");
    case ParamKind::signed_number:
    case ParamKind::result:
    case ParamKind::fd:
    case ParamKind::pid: fmt::format_to(to, "{}", param.as_signed()); return;
    case ParamKind::unsigned_number:
    case ParamKind::user:
    case ParamKind::group:
    case ParamKind::interval:
    case ParamKind::moment: fmt::format_to(to, "{}", param.number); return;
    case ParamKind::flags:
        return append_names(out, param.number, [&](auto&& name) {
            for_each_flag(param.flags, param.number,
                          [&](std::string_view flag) { name("", flag); });
        });
    case ParamKind::enumeration:
        return append_named(out, param.number, "", enum_name(param.flags, param.number));
    case ParamKind::signal:
        return append_named(out, param.number, "SIG", signal_name(param.number));
    case ParamKind::signal_set: return append_signals(out, param.number);
    case ParamKind::syscall: {
        const auto* call = event::find_syscall_by_scap(static_cast<std::uint16_t>(param.number));
        return append_named(out, param.number, "",
                            call != nullptr ? call->name : std::string_view());
    }
    case ParamKind::boolean: return append(out, param.number != 0 ? "true" : "false");
    case ParamKind::real:
        if (!std::isfinite(param.real))
            return append(out, "null"); // JSON has no infinity and no NaN
        fmt::format_to(to, "{}", param.real);
        return;
    case ParamKind::text: return escape::append_json(out, param.as_text());
    case ParamKind::texts: return append_texts(out, as_chars(param.bytes));
    case ParamKind::bytes: return append_bytes(out, param.bytes);
    case ParamKind::address:
    case ParamKind::tuple: return append_addresses(out, param);
    case ParamKind::fd_list: return append_fd_list(out, param.bytes);
    }
}

} // namespace tiercel::output
