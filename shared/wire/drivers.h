// SPDX-License-Identifier: Apache-2.0
//
// The drivers of drivers.def: their number on the wire, their names, and what they need.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tiercel::wire {

// `automatic`, in a request, asks for whichever driver the server has; it is no row of the table.
enum class Driver : std::uint32_t {
    automatic,
#define DRIVER(id, ...) id,
#include "shared/wire/drivers.def"
#undef DRIVER
    count
};

struct DriverRow {
    Driver driver;
    std::string_view id, option, kind, metric;
    const char* loader; // suffix of privd's program; nullptr if privd does not serve the driver
    bool bpf, whole_machine;
};

constexpr DriverRow kDriverTable[] = {
#define DRIVER(id, option, kind, metric, loader, bpf, whole_machine)                               \
    {Driver::id, #id, option, kind, metric, loader, bpf, whole_machine},
#include "shared/wire/drivers.def"
#undef DRIVER
};
static_assert(std::size(kDriverTable) + 1 == static_cast<std::size_t>(Driver::count));

// Returns the row of the driver; nullptr for `automatic` and for a number that is not in the table.
constexpr const DriverRow* find_row(Driver driver) {
    for (const DriverRow& row : kDriverTable)
        if (row.driver == driver)
            return &row;
    return nullptr;
}

// Returns the driver that any of its names (id, option or kind) stands for. "auto" is `automatic`.
constexpr std::optional<Driver> find_driver(std::string_view text) {
    if (text == "auto")
        return Driver::automatic;
    for (const DriverRow& row : kDriverTable)
        if (!text.empty() && (text == row.option || text == row.kind || text == row.id))
            return row.driver;
    return std::nullopt;
}

// Returns the value of --driver for the driver: "auto" for `automatic`, "unknown" for a number that
// is not in the table.
constexpr std::string_view option_of(Driver driver) {
    const DriverRow* row = find_row(driver);
    return row != nullptr ? row->option : driver == Driver::automatic ? "auto" : "unknown";
}

} // namespace tiercel::wire
