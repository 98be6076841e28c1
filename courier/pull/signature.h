// SPDX-License-Identifier: Apache-2.0
//
// Signatures in minisign's format (https://jedisct1.github.io/minisign/): Ed25519 over the file's
// BLAKE2b-512 ("ED"), or over the file itself (the legacy form, "Ed"). A second signature covers
// the first one and the trusted comment. libsodium computes all of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiercel::courier {

struct PublicKey {
    std::array<std::uint8_t, 8> id{};
    std::array<std::uint8_t, 32> bytes{};
};

// Reads the text of a key file (minisign.pub), or its second line alone. Returns nullopt if it is
// none.
std::optional<PublicKey> read_key(std::string_view text);

struct Verified {
    std::string fault;           // why the signature is refused; empty: it is good
    std::string trusted_comment; // if it is good
};

// Checks that `signature`, the text of a .minisig file, is by `key` and of `bytes`.
Verified verify(const PublicKey& key, std::string_view signature, std::string_view bytes);

// Returns the number behind "timestamp:" in a trusted comment, which minisign writes by default:
// when the file was signed, in seconds since the epoch.
std::optional<std::uint64_t> timestamp_of(std::string_view trusted_comment);

} // namespace tiercel::courier
