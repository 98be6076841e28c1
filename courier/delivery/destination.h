// SPDX-License-Identifier: Apache-2.0
//
// Destination: a receiver of alerts. A destination connects at the first attempt to send, not
// before, and again after a failure. It may block, because it has a thread of its own.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "courier/config/config.h"
#include "courier/spool/record.h"

namespace tiercel::courier {

// How an attempt to send ended.
struct Sent {
    enum class Outcome : std::uint8_t {
        done,    // the receiver has acknowledged all records
        retry,   // the records from `delivered` on must be sent again later
        refused, // the receiver will never take the record at `delivered`, or one after it
    };
    std::size_t delivered = 0; // the first records, which the receiver has acknowledged
    Outcome outcome = Outcome::done;
    std::string error; // why, for people; empty after `done`
};

class Destination {
  public:
    virtual ~Destination() = default;
    // Sends the records in order. `records` is not empty, and has most_records() at most.
    virtual Sent send(std::span<const Record> records) = 0;
    virtual std::size_t most_records() const { return 500; }
};

// What make_ID() returns: the destination, or what is wrong with its options.
struct Made {
    std::unique_ptr<Destination> destination;
    std::string wrong;
};

} // namespace tiercel::courier
