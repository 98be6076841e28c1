// SPDX-License-Identifier: Apache-2.0
//
// The protocol between the analyzer (client) and the courier, which sends alerts to other machines,
// on a SOCK_STREAM Unix socket. Every record begins with a Header that gives its length.
//
//   analyzer                                courier
//   Hello             ──────────────▶       notes where the alerts come from
//   Rules             ──────────────▶       notes which rules are in force; again after a reload
//   Alert, Alert, …   ──────────────▶       writes them to its spool, as bytes
//                     ◀──────────────       Stored: every alert up to this sequence is in the spool
//                     ◀──────────────       State, State, …: one for each destination, each second
//
// An alert's id is the host, the boot and the sequence. The analyzer sends an alert again on a new
// connection until it is stored. The courier recognises an alert that it has by the session and the
// sequence. A record that breaks these rules ends the connection. Integers are in native byte
// order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tiercel::wire::courier {

constexpr std::uint32_t kMagic = 0x43435254; // "TRCC"
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kMostHost = 255;
constexpr std::size_t kMostRule = 1024;
constexpr std::size_t kMostText = 1U << 20;

enum class Type : std::uint16_t { hello = 1, alert, stored, state, rules };

struct Header {
    std::uint32_t bytes = 0; // of the whole record, with this header
    Type type = Type::hello;
    std::uint16_t reserved = 0;
};

using Boot = std::array<std::uint8_t, 16>; // /proc/sys/kernel/random/boot_id

// The record goes on with `host_bytes` bytes: the host's name.
struct Hello {
    Header header{};
    std::uint32_t magic = kMagic;
    std::uint16_t version = kVersion;
    std::uint16_t host_bytes = 0;
    Boot boot{};
    // The first sequence of this client. A client starts with the nanoseconds of CLOCK_BOOTTIME, so
    // that no two clients of one boot use the same sequences.
    std::uint64_t session = 0;
};

// The record goes on with `rule_bytes` bytes of the rule's name and, up to its end, the alert.
struct Alert {
    Header header{.type = Type::alert};
    std::uint16_t rule_bytes = 0;
    std::uint8_t priority = 0; // as syslog numbers them: 0 to 7
    std::uint8_t reserved[5] = {};
    std::uint64_t sequence = 0; // larger than that of the alert before
    std::uint64_t time_ns = 0;  // since the epoch
};

using Sha256 = std::array<std::uint8_t, 32>;

// A client that has loaded no rules, as `tiercel top` may be, does not send it.
struct Rules {
    Header header{.bytes = sizeof(Rules), .type = Type::rules};
    Sha256 sum{}; // of the rule files, one after the other
};

struct Stored {
    Header header{.type = Type::stored};
    std::uint64_t sequence = 0;
};

constexpr std::size_t kNameRoom = 32;

struct State {
    Header header{.type = Type::state};
    char name[kNameRoom] = {}; // of the destination; ends with NUL
    std::uint64_t sent = 0;    // alerts that the receiver has acknowledged
    std::uint64_t failed = 0;  // alerts that the receiver refused for good
    std::uint64_t retried = 0; // attempts that failed and were made again
    std::uint64_t dropped = 0; // alerts that left the spool before they were sent
    std::uint64_t spooled_bytes = 0;
    std::uint64_t oldest_age_seconds = 0;
    std::uint32_t connected = 0; // 1: the last attempt succeeded
    std::uint32_t last = 0;      // 1: no further destination follows
};

static_assert(sizeof(Header) == 8 && sizeof(Hello) == 40 && sizeof(Alert) == 32 &&
              sizeof(Rules) == 40 && sizeof(Stored) == 16 && sizeof(State) == 96);

} // namespace tiercel::wire::courier
