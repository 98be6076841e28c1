// SPDX-License-Identifier: Apache-2.0
//
// Implements the choice of the io_uring programs of both BPF probes: they are loaded if a wanted
// system call can also be made through io_uring, and if this kernel's tracepoints tell enough.
#include <cstdio>
#include <cstring>

#include "privd/drivers/kernel_types.h"
#include "privd/drivers/probe.h"

namespace tiercel::privd {

namespace {

constexpr std::string_view kPrefix = "uring_";

// The number of parameters of the tracepoint io_ + name; 0 if this kernel has no such tracepoint.
std::uint32_t parameters(const char* name) {
    char type[48];
    snprintf(type, sizeof type, "btf_trace_io_%s", name);
    return kernel_types.parameters(type);
}

bool is_wanted(const tiercel_uring& uring, const tiercel_config& config) {
    for (const auto& operation : uring.operations)
        for (std::uint32_t call : operation.call)
            if (operation.known && call < TIERCEL_SYSCALL_MAX &&
                (config.interest[call / 64] >> call % 64 & 1) != 0)
                return true;
    return false;
}

// Kernels before 5.13 pass no request to io_uring_submit_sqe, but at most five other parameters.
std::uint32_t submit_parameters() {
    std::uint32_t request = parameters("uring_submit_req");
    std::uint32_t entry = parameters("uring_submit_sqe");
    if (request != 0)
        return request;
    return entry <= 2 || entry >= 6 ? entry : 0;
}

// Chooses the programs for the tracepoints that this kernel has. Without them their maps are small.
void choose(bpf_object* object, bool wanted) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
        const char* name = bpf_program__name(program);
        if (std::string_view(name).starts_with(kPrefix))
            bpf_program__set_autoload(program, wanted && parameters(name) != 0);
    }
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object) {
        if (!wanted && std::string_view(bpf_map__name(map)).starts_with(kPrefix))
            bpf_map__set_max_entries(map, 1);
    }
}

} // namespace

bool ProbeLoad::configure_uring(bpf_object* object) {
    std::size_t size = 0;
    bpf_map* map = bpf_object__find_map_by_name(object, ".rodata.uring");
    if (map == nullptr)
        return true; // a probe that others made may have no such programs
    tiercel_uring uring{};
    const void* initial = bpf_map__initial_value(map, &size);
    if (initial == nullptr || size != sizeof uring)
        return false;
    std::memcpy(&uring, initial, sizeof uring);
    uring.complete_args = parameters("uring_complete");
    bool here = uring.complete_args != 0 && is_wanted(uring, config);
    uring.submit_args = here ? submit_parameters() : 0;
    choose(object, uring.submit_args != 0);
    if (uring.submit_args != 0) {
        auto& word = config.interest[uring.enter_number / 64];
        auto bit = std::uint64_t{1} << uring.enter_number % 64;
        enter_unasked = enter_unasked || (word & bit) == 0;
        uring.enter_unasked = enter_unasked;
        word |= bit;
    }
    return bpf_map__set_initial_value(map, &uring, sizeof uring) == 0;
}

} // namespace tiercel::privd
