// SPDX-License-Identifier: Apache-2.0
//
// The modern probe: BPF ring buffers, typed tracepoints or per-syscall attachment, iterators.
#include "policy/privilege/privd_syscalls.h"
#include "privd/probe.h"

#include <bpf/bpf.h>
#include <cstring>
#include <tiercel_modern.skel.h>
#include <tiercel_modern_no_cast.skel.h>
#include <tiercel_modern_old.skel.h>

namespace tiercel::privd {

using wire::Attach;
using wire::Kind;

namespace {

constexpr int iterators_of_a_kind = 4; // each is read once: at the start, and to heal after drops

// The ways to load and attach, best first. The kernel is the judge of what it supports.
constexpr struct Variant {
    Attach attach;
    const void* (*bytes)(std::size_t*);
} variants[] = {{Attach::per_syscall, tiercel_modern_bpf__elf_bytes},
                {Attach::per_syscall, tiercel_modern_no_cast_bpf__elf_bytes},
                {Attach::tracepoint, tiercel_modern_bpf__elf_bytes},
                {Attach::tracepoint, tiercel_modern_no_cast_bpf__elf_bytes},
                {Attach::tracepoint, tiercel_modern_old_bpf__elf_bytes}};

bool wanted(std::string_view program, const Variant& variant) {
    if (program.starts_with("fexit_") || program == "sys_exit")
        return (variant.attach == Attach::per_syscall) == program.starts_with("fexit_");
    return true;
}

// What libbpf looks up in all of the kernel's types: what a program attaches to, and the function
// that stands for TIERCEL_CAST.
int complete(bpf_program* program, bpf_prog_load_opts* options, long) {
    options->attach_btf_id =
        kernel_types.number(std::strchr(bpf_program__section_name(program), '/') + 1);
    __u32 cast = kernel_types.number("bpf_rdonly_cast");
    auto* code = const_cast<bpf_insn*>(bpf_program__insns(program));
    for (std::size_t i = 0; i < bpf_program__insn_cnt(program); ++i)
        if (code[i].code == (BPF_JMP | BPF_CALL) && code[i].imm == TIERCEL_CAST) {
            code[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
            code[i].imm = static_cast<__s32>(cast);
        }
    return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

// The sections of programs that complete() completes. As raw tracepoints they are not tracing to
// libbpf, which for tracing programs reads all types.
void register_sections() {
    constexpr struct {
        const char* section;
        bpf_attach_type type;
    } kinds[] = {{"tiercel.tp+", BPF_TRACE_RAW_TP},
                 {"tiercel.iter+", BPF_TRACE_ITER},
                 {"tiercel.fexit+", BPF_TRACE_FEXIT}};
    for (const auto& kind : kinds) {
        LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = complete);
        libbpf_register_prog_handler(kind.section, BPF_PROG_TYPE_RAW_TRACEPOINT, kind.type,
                                     &options);
    }
}

// The functions below are false, with errno set, when something was refused.

bool attach_program(ProbeLoad& load, const bpf_program* program) {
    int fd = bpf_program__fd(program);
    bpf_attach_type type = bpf_program__expected_attach_type(program);
    std::string_view name = bpf_program__name(program);
    // The other fexit programs are per_syscall.cpp's.
    if (type == BPF_TRACE_RAW_TP || name.starts_with("fexit_every_"))
        return load.attach(program);
    if (fd < 0 || type != BPF_TRACE_ITER)
        return true;
    Kind kind = name == "dump_task_file" ? Kind::iter_task_file : Kind::iter_task;
    os::UniqueFd link(bpf_link_create(fd, 0, BPF_TRACE_ITER, nullptr));
    for (int i = 0; i < iterators_of_a_kind; ++i) // an iterator holds its program by itself
        if (!load.into.add(kind, bpf_iter_create(link.get())))
            return false;
    return true;
}

bool try_variant(ProbeLoad& load, const Variant& variant) {
    load.into.clear();
    load.reply.attach = variant.attach;
    load.config.per_syscall = variant.attach == Attach::per_syscall;
    load.reply.detail = wire::step_open;
    std::size_t size = 0;
    const void* bytes = variant.bytes(&size);
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = kernel_types.path);
    Object object(bpf_object__open_mem(bytes, size, &options), bpf_object__close);
    bpf_map* numbers =
        object ? bpf_object__find_map_by_name(object.get(), ".rodata.types") : nullptr;
    if (numbers)
        bpf_map__set_initial_value(numbers, kernel_types.numbers,
                                   sizeof(__u32) * TIERCEL_TYPES_MAX);
    if (!object || !load.configure(object.get()) ||
        bpf_map__set_inner_map_fd(bpf_object__find_map_by_name(object.get(), "rings"),
                                  load.into.fds[0][0].get()) != 0)
        return false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get())
        if (!wanted(bpf_program__name(program), variant))
            bpf_program__set_autoload(program, false);
    if (!load.load(object.get()))
        return false;
    for (__u32 i = 0; i < load.reply.ring_count; ++i)
        if (!load.store_ring(object.get(), i, load.into.fds[0][i]))
            return false;
    bpf_object__for_each_program(program, object.get())
        if (!attach_program(load, program))
            return false;
    return !load.config.per_syscall ||
           attach_per_syscall(object.get(), load.config.interest, load.into);
}

// Some kernels refuse fexit to everybody, before they look at its target; the others find that type
// 1 is no function. A tenth of a millisecond, where trying the whole object takes fifty.
bool trampolines_refused() {
    bpf_insn nothing[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
                          {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
                .attach_btf_id = 1);
    return bpf_prog_load(BPF_PROG_TYPE_TRACING, nullptr, "GPL", nothing, 2, &options) == -EPERM;
}

bool create_rings(ProbeLoad& load) {
    load.reply.detail = wire::step_ring;
    for (__u32 i = 0; i < load.reply.ring_count; ++i)
        if (!load.into.add(Kind::ring, bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tiercel_ring", 0, 0,
                                                      load.reply.ring_bytes, nullptr)))
            return false;
    return true;
}

wire::Reply prepare(const char*, Account user) {
    register_sections();
    return kernel_types.read(nullptr, user);
}

wire::Reply start(const wire::Request& request, pid_t self, Handover& into) {
    ProbeLoad load(request, self, into);
    std::uint32_t share = request.cpus_per_ring ? request.cpus_per_ring : load.reply.cpus;
    load.reply.ring_count = (load.reply.cpus + share - 1) / share;
    bool done = false;
    if (bool refused = trampolines_refused(); create_rings(load))
        for (const Variant& variant : variants)
            if (!done &&
                (request.attach == Attach::automatic || request.attach == variant.attach) &&
                (!refused || variant.attach != Attach::per_syscall))
                done = try_variant(load, variant);
    return load.end(done, request.attach == Attach::per_syscall ? wire::Status::attach_unsupported
                                                                : wire::Status::load_failed);
}

constexpr auto load_calls = policy::joined(policy::privd_load, policy::privd_load_bpf);

} // namespace

const Driver driver{wire::Driver::modern, load_calls, policy::privd_steady, {}, prepare, start};

} // namespace tiercel::privd
