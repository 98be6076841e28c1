// SPDX-License-Identifier: Apache-2.0
#include "courier/delivery/text.h"

#include <cstdio>
#include <ctime>

namespace tiercel::courier {

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string id_of(const Record& record) {
    return std::string(record.host) + '/' + hex(record.boot) + '/' +
           std::to_string(record.sequence);
}

std::string short_id_of(const Record& record) {
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(record.sequence));
    return hex(record.boot).substr(0, 16) + digits;
}

std::string_view priority_of(const Record& record) {
    constexpr std::string_view kNames[kPriorities] = {
        "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"};
    return kNames[record.priority % kPriorities];
}

std::string iso_time(std::uint64_t time_ns) {
    const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32], fraction[16];
    const std::size_t length = strftime(text, sizeof text, "%FT%T", &parts);
    snprintf(fraction, sizeof fraction, ".%06uZ",
             static_cast<unsigned>(time_ns % 1'000'000'000 / 1000));
    return std::string(text, length) + fraction;
}

} // namespace tiercel::courier
