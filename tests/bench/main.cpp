// SPDX-License-Identifier: Apache-2.0
//
// bench BIN [overhead|filtered|footprint|flood|replay|memory]: all figures, or one group, with the
// machine they were taken on. Exit code 0: every bar holds; 1: one is missed; 77: it cannot run
// here, and says why.
#include <fmt/core.h>
#include <unistd.h>

#include <string_view>

#include "tests/bench/machine.h"

int main(int argc, char** argv) {
    const std::string_view only = argc == 3 ? argv[2] : "";
    if (argc < 2 || argc > 3) {
        fmt::print(stderr, "usage: bench FOLDER-OF-THE-BINARIES "
                           "[overhead|filtered|footprint|flood|replay|memory]\n");
        return 2;
    }
    tiercel::bench::print_machine(argv);
    tiercel::bench::Report report;
    if (only.empty() || only == "replay")
        tiercel::bench::replay(TIERCEL_SOURCE_DIR "/../shared/peer/falco_rules.yaml", report);
    if (only.empty() || only == "memory")
        tiercel::bench::memory(report);
    if (only == "replay" || only == "memory")
        return report.all_hold() ? 0 : 1;
    if (geteuid() != 0) {
        fmt::print("SKIPPED: bench: it loads BPF programs, which needs root\n");
        return report.all_hold() ? 77 : 1;
    }
    if (only.empty() || only == "overhead")
        tiercel::bench::overhead(argv[1], report);
    if (only.empty() || only == "filtered")
        tiercel::bench::filtered(argv[1], report);
    if (only.empty() || only == "footprint")
        tiercel::bench::footprint(argv[1], report);
    if (only.empty() || only == "flood")
        tiercel::bench::flood(argv[1], report);
    return report.all_hold() ? 0 : 1;
}
