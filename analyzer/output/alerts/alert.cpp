// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/alert.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "analyzer/output/json_keys.h"
#include "analyzer/output/writer.h"
#include "shared/escape/escape.h"

namespace tiercel::alerts {

namespace {

namespace key = output::alert_key;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string format_time(std::uint64_t time_ns, bool utc, const char* format) {
    const auto seconds = static_cast<std::time_t>(time_ns / kSecond);
    std::tm parts{};
    utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts);
    char text[64];
    return {text, strftime(text, sizeof text, format, &parts)};
}

std::string nanoseconds(std::uint64_t time_ns) {
    char text[16];
    const int length =
        snprintf(text, sizeof text, ".%09u", static_cast<unsigned>(time_ns % kSecond));
    return {text, static_cast<std::size_t>(length)};
}

// "13:53:31.726060287: Critical "
std::string prefix(const Alert& alert, const Style& style) {
    std::string text = format_time(alert.time_ns, style.utc, style.iso_8601 ? "%FT%T" : "%T") +
                       nanoseconds(alert.time_ns);
    if (style.iso_8601)
        text += format_time(alert.time_ns, style.utc, "%z");
    text += ": ";
    text += config::priority_name(alert.priority);
    return text + ' ';
}

std::vector<std::string> as_utf8(const std::vector<std::string>& texts) {
    std::vector<std::string> made;
    for (const std::string& text : texts)
        made.push_back(escape::as_utf8(text));
    return made;
}

nlohmann::json to_json(const FieldValue& value) {
    return std::visit(
        [](const auto& held) -> nlohmann::json {
            using Held = std::decay_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>)
                return nullptr;
            else if constexpr (std::is_same_v<Held, std::string>)
                return escape::as_utf8(held);
            else if constexpr (std::is_same_v<Held, std::vector<std::string>>)
                return as_utf8(held);
            else
                return held;
        },
        value);
}

} // namespace

std::string id_of(std::uint64_t time_ns, std::string_view rule) {
    std::uint32_t hash = 2166136261; // FNV-1a
    for (const char c : rule)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return fmt::format("{:016x}-{:08x}", time_ns, hash);
}

std::string iso_time(std::uint64_t time_ns) {
    return format_time(time_ns, true, "%FT%T") + nanoseconds(time_ns) + 'Z';
}

std::string render(const Alert& alert, const Style& style) {
    const std::string text = prefix(alert, style) + alert.message;
    if (!style.json) {
        // One alert is one line, and no field's value steers the terminal that shows it.
        output::Buffer line;
        escape::append_text(line, text);
        return fmt::to_string(line);
    }
    nlohmann::json json; // keys come out sorted, as Falco's do
    json[key::time] = iso_time(alert.time_ns);
    json[key::rule] = escape::as_utf8(alert.rule);
    json[key::priority] = config::priority_name(alert.priority);
    json[key::source] = escape::as_utf8(alert.source);
    json[key::hostname] = escape::as_utf8(style.hostname);
    if (!alert.capture_file.empty())
        json[key::capture_file] = escape::as_utf8(alert.capture_file);
    if (style.include_output)
        json[key::output] = escape::as_utf8(text);
    if (style.include_tags)
        json[key::tags] = as_utf8(alert.tags);
    if (style.include_message)
        json[key::message] = escape::as_utf8(alert.message);
    if (style.include_fields) {
        nlohmann::json fields = nlohmann::json::object();
        for (const auto& [name, value] : alert.fields)
            fields[escape::as_utf8(name)] = to_json(value);
        fields[style.iso_8601 ? "evt.time.iso8601" : "evt.time"] = alert.time_ns;
        json[key::output_fields] = std::move(fields);
    }
    output::Buffer line;
    escape::append_made_json(line,
                             json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return fmt::to_string(line);
}

} // namespace tiercel::alerts
