// SPDX-License-Identifier: Apache-2.0
//
// What every measurement needs, here and in the test machines: the clock, and a CPU of its own.
#pragma once

#include <sched.h>

#include <ctime>

namespace tiercel::bench {

// CLOCK_MONOTONIC
inline double now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

inline void pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    sched_setaffinity(0, sizeof set, &set);
}

} // namespace tiercel::bench
