// SPDX-License-Identifier: Apache-2.0
//
// Implements attachment per syscall: a copy of the probe's stub at the exit of each function that
// implements a wanted syscall, so that the others cost nothing. The contract is
// kernel/bpf_modern/README.md's.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kernel/common/abi.h"
#include "privd/drivers/kernel_types.h"
#include "privd/drivers/probe.h"

namespace tiercel::privd {

namespace {

// What the names of the functions that implement native syscalls begin with.
constexpr const char* kPrefixes[] = {"__x64_sys_", "__do_sys_", "__arm64_sys_"};

// BTF may have one function under several names, or one name twice: after the first, the kernel
// finds its address taken, and that is as good.
bool attach_stub(const bpf_program* stub, __u32 function, Handover& into) {
    LIBBPF_OPTS(bpf_prog_load_opts, options,
                .expected_attach_type = bpf_program__expected_attach_type(stub),
                .attach_btf_id = function);
    os::UniqueFd copy(bpf_prog_load(BPF_PROG_TYPE_TRACING, "fexit_syscall", "Dual BSD/GPL",
                                    bpf_program__insns(stub), bpf_program__insn_cnt(stub),
                                    &options));
    if (!copy.valid())
        return false;
    int link = bpf_raw_tracepoint_open(nullptr, copy.get());
    return link < 0 ? errno == EBUSY : into.add(wire::Kind::link, link);
}

// The program that stubs jump to. The kernel empties a prog array when its last fd is closed
// (kernel/bpf/arraymap.c), so the array is passed on too, frozen.
bool fill_jump(bpf_object* object, const char* map, const char* program, Handover& into) {
    int jump = bpf_object__find_map_fd_by_name(object, map);
    int target = bpf_program__fd(bpf_object__find_program_by_name(object, program));
    __u32 slot = 0;
    return bpf_map_update_elem(jump, &slot, &target, BPF_ANY) == 0 && bpf_map_freeze(jump) == 0 &&
           into.add(wire::Kind::link, fcntl(jump, F_DUPFD_CLOEXEC, 3));
}

// privd-types keeps the functions that take the registers, or nothing: two prototypes. `at_entry`
// is not loaded, and has no descriptor, if no text is to be saved.
struct Stubs {
    const bpf_program *with_arguments, *without, *at_entry;

    [[nodiscard]] const bpf_program* for_function(int id) const {
        const btf* types = kernel_types.kept();
        const btf_type* function = btf__type_by_id(types, static_cast<__u32>(id));
        const btf_type* prototype = btf__type_by_id(types, function->type);
        const char* parameter = btf__name_by_offset(types, btf_params(prototype)->name_off);
        return strcmp(parameter, "__unused") == 0 ? without : with_arguments;
    }
};

// Attaches to each function that implements the syscall: one for each prefix that this kernel has.
bool attach_syscall(const char* symbol, bool has_texts, const Stubs& stubs, Handover& into) {
    for (const char* prefix : kPrefixes) {
        char function[64];
        snprintf(function, sizeof function, "%s%s", prefix, symbol);
        int id = btf__find_by_name_kind(kernel_types.kept(), function, BTF_KIND_FUNC);
        if (id < 0)
            continue;
        __u32 number = kernel_types.number(id);
        const bpf_program* stub = stubs.for_function(id);
        bool both = has_texts && stub == stubs.with_arguments;
        if (!attach_stub(stub, number, into) ||
            (both && !attach_stub(stubs.at_entry, number, into)))
            return false;
    }
    return true;
}

bool is_wanted(const unsigned long long* interest, std::size_t number) {
    return interest[number / 64] >> (number % 64) & 1;
}

} // namespace

bool attach_per_syscall(bpf_object* object, const unsigned long long* interest, Handover& into) {
    if (!fill_jump(object, "jump", "fexit_capture", into) ||
        !fill_jump(object, "jump_noargs", "fexit_capture_noargs", into))
        return false;
    const bpf_program* at_entry = bpf_object__find_program_by_name(object, "fentry_syscall");
    bool saves_texts = bpf_program__fd(at_entry) >= 0;
    if (saves_texts && !fill_jump(object, "jump_entry", "fentry_capture", into))
        return false;
    // 32 bytes for each native number; the last one serves the numbers that the kernel does not
    // know, and is always wanted.
    std::size_t bytes = 0;
    auto* symbols = static_cast<const char(*)[32]>(
        bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata.symbols"), &bytes));
    auto* texts = static_cast<const char*>(
        bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata.texts"), &bytes));
    Stubs stubs{bpf_object__find_program_by_name(object, "fexit_syscall"),
                bpf_object__find_program_by_name(object, "fexit_syscall_noargs"), at_entry};
    for (std::size_t number = 0; number <= TIERCEL_SYSCALL_MAX; ++number) {
        bool chosen = number == TIERCEL_SYSCALL_MAX || is_wanted(interest, number);
        bool has_texts = saves_texts && texts[number];
        if (chosen && !attach_syscall(symbols[number], has_texts, stubs, into))
            return false;
    }
    return true;
}

} // namespace tiercel::privd
