// SPDX-License-Identifier: Apache-2.0
//
// Record: one alert with what its headers need, and its form in a file of the spool. The courier
// treats the alert as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/wire/courier.h"

namespace tiercel::courier {

// The views point into memory of the caller, or of the Batch that holds the record.
struct Record {
    std::uint64_t index = 0; // the place in the spool, which gives the order
    wire::courier::Boot boot{};
    std::uint64_t session = 0; // with `boot`: the client that the alert came from
    std::uint64_t sequence = 0;
    std::uint64_t time_ns = 0;   // of the alert, since the epoch
    std::uint64_t stored_ns = 0; // when the courier stored it, since the epoch
    std::uint8_t priority = 0;   // as syslog numbers them: 0 to 7
    std::string_view host{};
    std::string_view rule{};
    std::string_view text{};
};

constexpr std::size_t kPriorities = 8;

// Records, and the bytes that their views point to.
struct Batch {
    std::vector<char> bytes;
    std::vector<Record> records;
};

// Appends the record's form in a file: lengths and numbers with a checksum, then the texts.
void encode(const Record& record, std::string& file);

// Reads the record at the beginning of `bytes`. Returns its length, or 0 if `bytes` does not begin
// with a whole and undamaged record. The record's views point into `bytes`.
std::size_t decode(std::string_view bytes, Record& record);

// The longest form of a record.
extern const std::size_t kMostRecordBytes;

} // namespace tiercel::courier
