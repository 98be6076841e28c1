// SPDX-License-Identifier: Apache-2.0
#include "courier/pull/signature.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tiercel::courier {

namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ", kTrusted = "trusted comment: ";
constexpr std::string_view kHashed = "ED", kLegacy = "Ed";

using Signature = std::array<std::uint8_t, crypto_sign_BYTES>;

// The decoded second line of a signature and of a key.
struct SignatureLine {
    char algorithm[2];
    std::array<std::uint8_t, 8> key_id;
    Signature signature;
};
struct KeyLine {
    char algorithm[2];
    PublicKey key;
};
static_assert(sizeof(SignatureLine) == 74 && sizeof(KeyLine) == 42);

// Takes the first line from `text`, without its end.
std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

// Returns false unless the line is base64 of exactly as many bytes.
template <typename Value>
bool decode(std::string_view line, Value& value) {
    std::size_t length = 0;
    return sodium_base642bin(reinterpret_cast<unsigned char*>(&value), sizeof value, line.data(),
                             line.size(), nullptr, &length, nullptr,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           length == sizeof value;
}

bool is_signed(const Signature& signature, std::string_view bytes, const PublicKey& key) {
    return crypto_sign_verify_detached(signature.data(),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       bytes.size(), key.bytes.data()) == 0;
}

std::string blake2b(std::string_view bytes) {
    std::string hash(crypto_generichash_BYTES_MAX, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                       0);
    return hash;
}

} // namespace

std::optional<PublicKey> read_key(std::string_view text) {
    if (text.starts_with(kUntrusted))
        take_line(text);
    KeyLine line{};
    if (!decode(take_line(text), line) || std::string_view(line.algorithm, 2) != kLegacy)
        return std::nullopt;
    return line.key;
}

Verified verify(const PublicKey& key, std::string_view signature, std::string_view bytes) {
    const std::string_view untrusted = take_line(signature);
    SignatureLine line{};
    const bool has_first = decode(take_line(signature), line);
    std::string_view trusted = take_line(signature);
    Signature global;
    const bool has_second = decode(take_line(signature), global);
    if (!untrusted.starts_with(kUntrusted) || !has_first || !trusted.starts_with(kTrusted) ||
        !has_second || !signature.empty())
        return {"it is no signature of minisign", ""};
    const std::string_view algorithm(line.algorithm, sizeof line.algorithm);
    if (algorithm != kHashed && algorithm != kLegacy)
        return {"its algorithm is not known", ""};
    if (line.key_id != key.id)
        return {"it is by another key", ""};
    const std::string hash = algorithm == kHashed ? blake2b(bytes) : std::string();
    if (!is_signed(line.signature, algorithm == kHashed ? hash : bytes, key))
        return {"it does not fit the file", ""};
    trusted.remove_prefix(kTrusted.size());
    std::string covered(line.signature.begin(), line.signature.end());
    covered += trusted;
    if (!is_signed(global, covered, key))
        return {"its trusted comment was changed", ""};
    return {"", std::string(trusted)};
}

std::optional<std::uint64_t> timestamp_of(std::string_view trusted_comment) {
    constexpr std::string_view kName = "timestamp:";
    while (!trusted_comment.empty()) {
        const std::string_view part = trusted_comment.substr(0, trusted_comment.find('\t'));
        trusted_comment.remove_prefix(std::min(part.size() + 1, trusted_comment.size()));
        if (!part.starts_with(kName))
            continue;
        std::uint64_t seconds = 0;
        const char* const end = part.data() + part.size();
        const auto [rest, error] = std::from_chars(part.data() + kName.size(), end, seconds);
        if (error == std::errc() && rest == end)
            return seconds;
        return std::nullopt;
    }
    return std::nullopt;
}

} // namespace tiercel::courier
