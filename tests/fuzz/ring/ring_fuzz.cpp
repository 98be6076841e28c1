// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as a BPF ring and as a perf buffer, with any positions of the producer.
// A compromised driver, or a kernel fault, could leave such a ring. Reading must end, must stay
// inside the mapping, and must account for every byte between the two positions.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/perf_ring.h"
#include "tests/unit/ring/synthetic.h"
#include "tests/unit/ring/synthetic_perf.h"

using namespace tiercel;

namespace {

constexpr std::size_t kRingBytes = 4096;

// Reads the ring to its end. A record's bytes are summed up, so that the sanitizer sees each read.
unsigned drain(ring::Ring& ring) {
    unsigned sum = 0;
    ring.snapshot();
    // Every record takes at least eight bytes.
    for (std::size_t records = 0; const auto bytes = ring.front(); ++records) {
        if (records > ring.size())
            abort();
        for (const std::byte byte : *bytes)
            sum += static_cast<unsigned>(byte);
        ring.pop();
    }
    ring.release();
    if (ring.unreleased() != 0)
        abort();
    return sum;
}

void fuzz_bpf_ring(std::uint64_t distance, const std::uint8_t* data, std::size_t size) {
    static test::SyntheticRing synthetic(kRingBytes);
    const std::uint64_t start = synthetic.producer();
    for (std::size_t at = 0; at + 4 <= size && at < kRingBytes; at += 8) {
        std::uint32_t word = 0;
        std::memcpy(&word, data + at, sizeof word);
        synthetic.set_header(start + at, word);
    }
    auto ring = ring::BpfRing::map(synthetic.fd(), kRingBytes);
    if (!ring)
        abort();
    synthetic.set_producer(start + distance);
    drain(*ring);
    synthetic.set_producer(0);
    synthetic.set_consumer(0);
}

void fuzz_perf_ring(std::uint64_t distance, const std::uint8_t* data, std::size_t size) {
    static test::SyntheticPerf synthetic(kRingBytes);
    synthetic.fill(data, size);
    auto ring = ring::PerfRing::map(synthetic.fd(), kRingBytes);
    if (!ring)
        abort();
    synthetic.set_producer(distance);
    drain(*ring);
    synthetic.set_producer(0);
    synthetic.set_consumer(0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::uint64_t distance = 0;
    if (size < sizeof distance)
        return 0;
    std::memcpy(&distance, data, sizeof distance);
    data += sizeof distance;
    size -= sizeof distance;
    // Most inputs get a possible distance, because an impossible one is skipped at once.
    if ((distance & 7) != 7)
        distance %= kRingBytes + 1;
    fuzz_bpf_ring(distance, data, size);
    fuzz_perf_ring(distance, data, size);
    return 0;
}
