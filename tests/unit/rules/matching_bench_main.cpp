// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "tests/unit/rules/matching_bench.h"

int main(int argc, char** argv) {
    for (const auto& figure : tiercel::rules::bench_matching(argc > 1 ? argv[1] : ""))
        printf("%-12s %7.1f ns/event  %5.2f fields/event  %lu matches\n", figure.name.c_str(),
               figure.ns_per_event, figure.fetches_per_event,
               static_cast<unsigned long>(figure.matches));
}
