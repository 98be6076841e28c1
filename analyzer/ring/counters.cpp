// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/counters.h"

#include <numeric>

namespace tiercel::ring {

namespace {
constexpr std::uint32_t kMostCpus = 8192; // CONFIG_NR_CPUS of x86-64 with MAXSMP

std::uint64_t load(const __u64& counter) {
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}
} // namespace

std::uint64_t CpuCounts::dropped() const {
    return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

std::string_view drop_name(std::size_t reason) {
    switch (reason) {
    case TIERCEL_DROP_RING_FULL: return "ring full";
    case TIERCEL_DROP_SCRATCH_BUSY: return "scratch busy";
    case TIERCEL_DROP_TOO_LONG: return "too long";
    case TIERCEL_DROP_NO_RING: return "no ring for the CPU";
    default: return {};
    }
}

os::Result<Counters> Counters::map(const os::UniqueFd& fd, std::uint32_t cpus) {
    if (cpus == 0 || cpus > kMostCpus)
        return os::error("map", "counters, because their number of CPUs is not valid", EINVAL);
    auto mapping =
        os::Mapping::shared(fd, cpus * sizeof(tiercel_cpu_counters), 0, PROT_READ, "the counters");
    if (!mapping)
        return mapping.error();
    Counters counters;
    counters.mapping_ = *std::move(mapping);
    counters.cpus_ = cpus;
    return counters;
}

CpuCounts Counters::of(std::uint32_t cpu) const {
    CpuCounts counts;
    if (cpu >= cpus_)
        return counts;
    const auto& line = reinterpret_cast<const tiercel_cpu_counters*>(mapping_.data())[cpu];
    counts.events = load(line.events);
    counts.filtered = load(line.filtered);
    for (std::size_t reason = 0; reason < counts.drops.size(); ++reason)
        counts.drops[reason] = load(line.drops[reason]);
    return counts;
}

CpuCounts Counters::total() const {
    CpuCounts sum;
    for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) {
        const CpuCounts counts = of(cpu);
        sum.events += counts.events;
        sum.filtered += counts.filtered;
        for (std::size_t reason = 0; reason < sum.drops.size(); ++reason)
            sum.drops[reason] += counts.drops[reason];
    }
    return sum;
}

} // namespace tiercel::ring
