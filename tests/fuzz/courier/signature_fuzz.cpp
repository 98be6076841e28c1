// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as public key, and as signature of any file, for tiercel-pull. What the
// target's own key has signed must be accepted. Anything else must be refused: an accepted
// signature must have the trusted comment that was signed, and be of the file that was signed.
//
// Input: a byte that chooses the kind, then
//   key        the text of a key file
//   signature  the text of a signature, which is of an empty file
//   edit       a byte each for the form (legacy or not), the length of the trusted comment and the
//              number of edits of the signature; the edits (two bytes for the place, one for the
//              bits that are flipped there); the trusted comment; the file
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "courier/pull/signature.h"

using namespace tiercel::courier;

namespace {

enum Kind : std::uint8_t { kKey, kSignature, kEdit };

struct Signer {
    PublicKey key{{1, 2, 3, 4, 5, 6, 7, 8}, {}};
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};

    Signer() {
        constexpr std::array<std::uint8_t, crypto_sign_SEEDBYTES> kSeed{};
        if (sodium_init() < 0 ||
            crypto_sign_seed_keypair(key.bytes.data(), secret.data(), kSeed.data()) != 0)
            abort();
    }

    std::string sign(std::string_view bytes) const {
        std::string signature(crypto_sign_BYTES, '\0');
        crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                             secret.data());
        return signature;
    }
};

std::string base64(const std::string& bytes) {
    constexpr int kForm = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kForm), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), kForm);
    text.pop_back(); // the terminating zero
    return text;
}

std::string blake2b(std::string_view bytes) {
    std::string hash(crypto_generichash_BYTES_MAX, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                       0);
    return hash;
}

// Returns the text of a .minisig file, as minisign writes it.
std::string sign(const Signer& signer, std::string_view comment, std::string_view file,
                 bool legacy) {
    const std::string signature = signer.sign(legacy ? std::string(file) : blake2b(file));
    const std::string id(signer.key.id.begin(), signer.key.id.end());
    return "untrusted comment: x\n" + base64((legacy ? "Ed" : "ED") + id + signature) +
           "\ntrusted comment: " + std::string(comment) + "\n" +
           base64(signer.sign(signature + std::string(comment))) + "\n";
}

void check_key(std::string_view text) {
    const auto key = read_key(text);
    if (!key)
        return;
    const auto again = read_key(base64("Ed" + std::string(key->id.begin(), key->id.end()) +
                                       std::string(key->bytes.begin(), key->bytes.end())));
    if (!again || again->id != key->id || again->bytes != key->bytes)
        abort();
}

// The key has signed nothing that the fuzzer knows, but the seeds' empty file.
void check_signature(const Signer& signer, std::string_view text) {
    const Verified verified = verify(signer.key, text, {});
    if (verified.fault.empty() && verified.trusted_comment != "timestamp:1")
        abort();
}

void check_edits(const Signer& signer, std::string_view input) {
    const auto take = [&input] {
        const auto byte = input.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(input[0]);
        input.remove_prefix(input.empty() ? 0 : 1);
        return byte;
    };
    const bool legacy = (take() & 1U) != 0;
    const std::size_t length = take();
    const std::size_t count = take() & 7U;
    const std::string_view edits = input.substr(0, 3 * count);
    input.remove_prefix(edits.size());
    const std::string_view comment = input.substr(0, std::min(length, input.find('\n')));
    const std::string_view file = input.substr(comment.size());
    std::string text = sign(signer, comment, file, legacy);
    Verified verified = verify(signer.key, text, file);
    if (!verified.fault.empty() || verified.trusted_comment != comment)
        abort();
    timestamp_of(comment);
    for (std::size_t at = 0; at + 3 <= edits.size(); at += 3) {
        const auto place = static_cast<std::uint8_t>(edits[at]) * std::size_t{256} +
                           static_cast<std::uint8_t>(edits[at + 1]);
        text[place % text.size()] ^= edits[at + 2];
    }
    verified = verify(signer.key, text, file);
    if (verified.fault.empty() && verified.trusted_comment != comment)
        abort();
    if (verify(signer.key, text, std::string(file) + "x").fault.empty())
        abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Signer signer;
    if (size == 0)
        return 0;
    const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 3) {
    case kKey: check_key(rest); break;
    case kSignature: check_signature(signer, rest); break;
    default: check_edits(signer, rest);
    }
    return 0;
}
