// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/sum.h"

#include <sodium/crypto_hash_sha256.h>

namespace tiercel::rules {

// libsodium need not be initialised for a hash. Initialising it would open /dev/urandom, which the
// sandbox forbids.
Sha256 sum_of(const Sources& sources) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (std::uint32_t file = 0; file < sources.size(); ++file) {
        const std::string& text = sources.text(file);
        crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
    }
    Sha256 sum;
    static_assert(sizeof sum == crypto_hash_sha256_BYTES);
    crypto_hash_sha256_final(&state, sum.data());
    return sum;
}

} // namespace tiercel::rules
