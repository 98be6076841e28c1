// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <string>

#include "shared/os/file.h"
#include "shared/wire/courier.h"

namespace tiercel::wire::courier {

// Returns /proc/sys/kernel/random/boot_id, which is 32 hexadecimal digits with dashes between them;
// zeros if it cannot be read.
inline Boot boot_id() {
    char room[64];
    Boot boot{};
    auto text = os::read_file("", "/proc/sys/kernel/random/boot_id", room);
    if (!text)
        return boot;
    std::string digits(*text);
    std::erase(digits, '-');
    for (std::size_t i = 0; i < boot.size() && 2 * i + 2 <= digits.size(); ++i)
        std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, boot[i], 16);
    return boot;
}

} // namespace tiercel::wire::courier
