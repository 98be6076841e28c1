// SPDX-License-Identifier: Apache-2.0
//
// Implements the driver of the modern probe: BPF ring buffers, typed tracepoints or attachment per
// syscall, and iterators over the processes that already run. It tries ways to load from the best
// to the oldest; the kernel decides.
#include <bpf/bpf.h>
#include <fcntl.h>

#include <cstring>

#include "policy/privilege/privd_syscalls.h"
#include "privd/drivers/complaint.h"
#include "privd/drivers/kernel_types.h"
#include "privd/drivers/probe.h"

#include <tiercel_modern.skel.h>
#include <tiercel_modern_no_cast.skel.h>
#include <tiercel_modern_old.skel.h>

namespace tiercel::privd {

using wire::Attach;
using wire::Kind;

namespace {

// An iterator is read once: by each reader at its start. Three more are to heal after drops.
std::uint32_t iterators_of_a_kind = 4;

// The ways to load and attach, best first. The kernel is the judge of what it supports.
constexpr struct Variant {
    Attach attach;
    const void* (*bytes)(std::size_t*);
} kVariants[] = {{Attach::per_syscall, tiercel_modern_bpf__elf_bytes},
                 {Attach::per_syscall, tiercel_modern_no_cast_bpf__elf_bytes},
                 {Attach::tracepoint, tiercel_modern_bpf__elf_bytes},
                 {Attach::tracepoint, tiercel_modern_no_cast_bpf__elf_bytes},
                 {Attach::tracepoint, tiercel_modern_old_bpf__elf_bytes}};

bool wanted(std::string_view program, const Variant& variant) {
    bool at_function = program.starts_with("fexit_") || program.starts_with("fentry_");
    if (at_function || program == "sys_exit" || program == "sys_enter")
        return (variant.attach == Attach::per_syscall) == at_function;
    return true;
}

// Does for one program what libbpf would look up in all of the kernel's types: the type of what the
// program attaches to, and the function that stands for TIERCEL_CAST. Called by libbpf.
int complete(bpf_program* program, bpf_prog_load_opts* options, long) {
    const char* target = std::strchr(bpf_program__section_name(program), '/') + 1;
    options->attach_btf_id = kernel_types.number(target);
    __u32 cast = kernel_types.number("bpf_rdonly_cast");
    auto* code = const_cast<bpf_insn*>(bpf_program__insns(program));
    for (std::size_t i = 0; i < bpf_program__insn_cnt(program); ++i) {
        bool is_cast = code[i].code == (BPF_JMP | BPF_CALL) && code[i].imm == TIERCEL_CAST;
        if (!is_cast)
            continue;
        code[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
        code[i].imm = static_cast<__s32>(cast);
    }
    return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

// Registers the sections of programs that complete() completes. They are raw tracepoints to libbpf,
// because for tracing programs it reads all types.
void register_sections() {
    static constexpr struct {
        const char* section;
        bpf_attach_type type;
    } kKinds[] = {{"tiercel.tp+", BPF_TRACE_RAW_TP},
                  {"tiercel.iter+", BPF_TRACE_ITER},
                  {"tiercel.fentry+", BPF_TRACE_FENTRY},
                  {"tiercel.fexit+", BPF_TRACE_FEXIT}};
    for (const auto& kind : kKinds) {
        LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = complete);
        libbpf_register_prog_handler(kind.section, BPF_PROG_TYPE_RAW_TRACEPOINT, kind.type,
                                     &options);
    }
}

// The functions below return false, with errno set, if something was refused.

// An iterator holds its program by itself, so the link ends here.
bool make_iterators(ProbeLoad& load, const bpf_program* program) {
    std::string_view name = bpf_program__name(program);
    Kind kind = name == "dump_task_file" ? Kind::iter_task_file : Kind::iter_task;
    os::UniqueFd link(bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, nullptr));
    for (std::uint32_t i = 0; i < iterators_of_a_kind; ++i)
        if (!load.into.add(kind, bpf_iter_create(link.get())))
            return false;
    return true;
}

// The programs for single syscalls are per_syscall.cpp's.
bool attach_program(ProbeLoad& load, const bpf_program* program) {
    bpf_attach_type type = bpf_program__expected_attach_type(program);
    std::string_view name = bpf_program__name(program);
    bool every = name.starts_with("fexit_every_") || name.starts_with("fentry_every_");
    if (type == BPF_TRACE_RAW_TP || every)
        return load.attach(program);
    bool loaded = bpf_program__fd(program) >= 0;
    return !loaded || type != BPF_TRACE_ITER || make_iterators(load, program);
}

// Fills in what the probe has to know before it is loaded.
bool set_up(ProbeLoad& load, bpf_object* object, const Variant& variant) {
    bpf_map* numbers = bpf_object__find_map_by_name(object, ".rodata.types");
    if (numbers != nullptr)
        bpf_map__set_initial_value(numbers, kernel_types.numbers(),
                                   sizeof(__u32) * TIERCEL_TYPES_MAX);
    if (!load.configure(object))
        return false;
    bpf_map* rings = bpf_object__find_map_by_name(object, "rings");
    if (bpf_map__set_inner_map_fd(rings, load.into.fds[0][0].get()) != 0)
        return false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
        if (!wanted(bpf_program__name(program), variant))
            bpf_program__set_autoload(program, false);
    }
    return true;
}

bool attach_all(ProbeLoad& load, bpf_object* object) {
    for (__u32 i = 0; i < load.reply.ring_count; ++i)
        if (!load.store_ring(object, i, load.into.fds[0][i]))
            return false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
        if (!attach_program(load, program))
            return false;
    }
    return !load.config.per_syscall || attach_per_syscall(object, load.config.interest, load.into);
}

bool try_variant(ProbeLoad& load, const Variant& variant) {
    load.into.clear();
    load.reply.attach = variant.attach;
    load.config.per_syscall = variant.attach == Attach::per_syscall;
    load.reply.detail = wire::step_open;
    std::size_t size = 0;
    const void* bytes = variant.bytes(&size);
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = kernel_types.path());
    Object object(bpf_object__open_mem(bytes, size, &options), bpf_object__close);
    return object && set_up(load, object.get(), variant) && load.load(object.get()) &&
           attach_all(load, object.get());
}

// Returns true if this kernel refuses fexit programs to every process, as some do before they look
// at the target; others find that type 1 is no function. It takes a tenth of a millisecond, where
// trying the whole object takes fifty.
bool trampolines_refused() {
    bpf_insn nothing[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
                          {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
                .attach_btf_id = 1);
    return bpf_prog_load(BPF_PROG_TYPE_TRACING, nullptr, "GPL", nothing, 2, &options) == -EPERM;
}

// Creates a ring as a privd may that has its capabilities in a user namespace alone: by a token, if
// its unit delegates loading to it. libbpf makes a token of its own for what it loads itself.
int create_ring(std::uint32_t bytes) {
    LIBBPF_OPTS(bpf_map_create_opts, options);
#ifdef TIERCEL_LIBBPF_TOKEN
    constexpr __u32 kTokenFlag = 1u << 16; // BPF_F_TOKEN_FD of linux/bpf.h from 6.9 on
    os::UniqueFd mount(::open("/sys/fs/bpf", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    os::UniqueFd token(bpf_token_create(mount.get(), nullptr));
    options.map_flags = token.valid() ? kTokenFlag : 0;
    options.token_fd = token.valid() ? token.get() : 0;
#endif
    return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tiercel_ring", 0, 0, bytes, &options);
}

bool create_rings(ProbeLoad& load) {
    load.reply.detail = wire::step_ring;
    for (__u32 i = 0; i < load.reply.ring_count; ++i)
        if (!load.into.add(Kind::ring, create_ring(load.reply.ring_bytes)))
            return false;
    return true;
}

bool try_variants(ProbeLoad& load, Attach asked) {
    bool refused = trampolines_refused();
    if (!create_rings(load))
        return false;
    for (const Variant& variant : kVariants) {
        bool chosen = asked == Attach::automatic || asked == variant.attach;
        bool possible = !refused || variant.attach != Attach::per_syscall;
        if (chosen && possible && try_variant(load, variant))
            return true;
    }
    return false;
}

wire::Reply open(const char*) {
    return kernel_types.open(nullptr);
}

wire::Reply prepare(std::uint64_t mask) {
    register_sections();
    return kernel_types.read(mask);
}

wire::Reply start(const wire::Request& request, pid_t self, Handover& into) {
    ProbeLoad load(request, self, into);
    iterators_of_a_kind = request.readers + 3;
    std::uint32_t share = request.cpus_per_ring ? request.cpus_per_ring : load.reply.cpus;
    load.reply.ring_count = (load.reply.cpus + share - 1) / share;
    bool done = try_variants(load, request.attach);
    bool only_per_syscall = request.attach == Attach::per_syscall;
    return load.end(done, only_per_syscall ? wire::Status::attach_unsupported
                                           : wire::Status::load_failed);
}

constexpr auto kLoadCalls = policy::joined(policy::kPrivdLoad, policy::kPrivdLoadBpf);

} // namespace

const Driver kModernDriver{
    wire::Driver::modern, kLoadCalls, policy::kPrivdSteady, {}, open, prepare, start};

} // namespace tiercel::privd
