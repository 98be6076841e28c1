// SPDX-License-Identifier: Apache-2.0
#include "privd/privd.h"

#include "kernel/common/abi.h"

#include <bpf/bpf.h>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <tiercel_modern.skel.h>
#include <tiercel_modern_no_cast.skel.h>
#include <tiercel_modern_old.skel.h>

namespace tiercel::privd {

using wire::Attach;
using wire::Kind;
using wire::Reply;

char libbpf_complaint[256];

namespace {

constexpr int iterators_of_a_kind = 4; // each is read once: at the start, and to heal after drops

int keep_complaint(libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN
               ? vsnprintf(libbpf_complaint, sizeof libbpf_complaint, format, arguments)
               : 0;
}

std::uint64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

// The ways to load and attach, best first. The kernel is the judge of what it supports.
constexpr struct Variant {
    Attach attach;
    const void* (*bytes)(std::size_t*);
    const char* task_iterator;
} variants[] = {{Attach::per_syscall, tiercel_modern_bpf__elf_bytes, "dump_task"},
                {Attach::per_syscall, tiercel_modern_no_cast_bpf__elf_bytes, "dump_task"},
                {Attach::tracepoint, tiercel_modern_bpf__elf_bytes, "dump_task"},
                {Attach::tracepoint, tiercel_modern_no_cast_bpf__elf_bytes, "dump_task"},
                {Attach::tracepoint, tiercel_modern_old_bpf__elf_bytes, "dump_task_nosleep"}};

bool wanted(std::string_view program, const tiercel_config& config, const Variant& variant) {
    if (program.starts_with("fexit_") || program == "sys_exit")
        return config.per_syscall == program.starts_with("fexit_");
    if (program.starts_with("dump_task") && program != "dump_task_file")
        return program == variant.task_iterator;
    if (program.starts_with("page_fault_"))
        return config.tracepoints & TIERCEL_TP_PAGE_FAULT;
    if (program == "sched_switch")
        return config.tracepoints & TIERCEL_TP_SWITCH;
    return program != "signal_deliver" || config.tracepoints & TIERCEL_TP_SIGNAL;
}

// The functions below are false, with errno set, when something was refused.

bool configure(bpf_object* object, const tiercel_config& config, const Variant& variant,
               const Reply& reply, int ring) {
    auto map = [object](const char* name) { return bpf_object__find_map_by_name(object, name); };
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object)
        bpf_program__set_autoload(program, wanted(bpf_program__name(program), config, variant));
    __u32 slots = bpf_map__max_entries(map("scratch")); // as declared: those of one CPU
    return bpf_map__set_initial_value(map(".rodata.config"), &config, sizeof config) == 0 &&
           bpf_map__set_max_entries(map("rings"), reply.ring_count) == 0 &&
           bpf_map__set_inner_map_fd(map("rings"), ring) == 0 &&
           bpf_map__set_max_entries(map("counters"), reply.cpus) == 0 &&
           bpf_map__set_max_entries(map("scratch"), reply.cpus * slots) == 0;
}

// The counters, once frozen, are written by the probe alone.
bool finish_maps(bpf_object* object, const Reply& reply, Handover& into) {
    int rings = bpf_object__find_map_fd_by_name(object, "rings");
    int counters = bpf_object__find_map_fd_by_name(object, "counters");
    for (__u32 i = 0; i < reply.ring_count; ++i)
        if (int fd = into.fds[0][i].get(); bpf_map_update_elem(rings, &i, &fd, BPF_ANY) != 0)
            return false;
    return bpf_map_freeze(counters) == 0 &&
           into.add(Kind::counters, fcntl(counters, F_DUPFD_CLOEXEC, 3));
}

bool attach_program(const bpf_program* program, Handover& into) {
    int fd = bpf_program__fd(program);
    bpf_attach_type type = bpf_program__expected_attach_type(program);
    std::string_view name = bpf_program__name(program);
    // negative: not wanted, not loaded; the other fexit programs are per_syscall.cpp's
    if (fd >= 0 && (type == BPF_TRACE_RAW_TP || name.starts_with("fexit_every_")))
        return into.add(Kind::link, bpf_raw_tracepoint_open(nullptr, fd));
    if (fd < 0 || type != BPF_TRACE_ITER)
        return true;
    bool files = name == "dump_task_file";
    os::UniqueFd link(bpf_link_create(fd, 0, BPF_TRACE_ITER, nullptr));
    for (int i = 0; i < iterators_of_a_kind; ++i) // an iterator holds its program by itself
        if (!into.add(files ? Kind::iter_task_file : Kind::iter_task, bpf_iter_create(link.get())))
            return false;
    return true;
}

bool try_variant(const Variant& variant, tiercel_config& config, Reply& reply, Handover& into) {
    into.clear();
    reply.attach = variant.attach;
    config.per_syscall = variant.attach == Attach::per_syscall;
    std::size_t size = 0;
    const void* bytes = variant.bytes(&size);
    std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(
        bpf_object__open_mem(bytes, size, nullptr), bpf_object__close);
    reply.detail = wire::step_open;
    if (!object || !configure(object.get(), config, variant, reply, into.fds[0][0].get()))
        return false;
    reply.detail = wire::step_load;
    if (bpf_object__load(object.get()) != 0 || !finish_maps(object.get(), reply, into))
        return false;
    reply.detail = wire::step_attach;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program,
                                 object.get()) if (!attach_program(program, into)) return false;
    return !config.per_syscall || attach_per_syscall(object.get(), config.interest, into);
}

// Some kernels refuse fexit to everybody, before they look at its target; the others find that type
// 1 is no function. A tenth of a millisecond, where trying the whole object takes fifty.
bool trampolines_refused() {
    bpf_insn nothing[2] = {};
    nothing[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
    nothing[1].code = BPF_JMP | BPF_EXIT;
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
                .attach_btf_id = 1);
    return bpf_prog_load(BPF_PROG_TYPE_TRACING, nullptr, "GPL", nothing, 2, &options) == -EPERM;
}

bool create_rings(Reply& reply, Handover& into) {
    reply.detail = wire::step_ring;
    for (__u32 i = 0; i < reply.ring_count; ++i)
        if (!into.add(Kind::ring, bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tiercel_ring", 0, 0,
                                                 reply.ring_bytes, nullptr)))
            return false;
    return true;
}

} // namespace

Reply start_modern(const wire::Request& request, pid_t self, Handover& into) {
    libbpf_set_print(keep_complaint);
    Reply reply;
    reply.load_begin_ns = now(CLOCK_MONOTONIC);
    reply.driver = wire::Driver::modern;
    reply.ring_bytes = request.ring_bytes;
    reply.cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
    std::uint32_t share = request.cpus_per_ring ? request.cpus_per_ring : reply.cpus;
    reply.ring_count = (reply.cpus + share - 1) / share;
    tiercel_config config{};
    std::memcpy(config.interest, request.interest, sizeof config.interest);
    config.boot_time_ns = now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME);
    config.tracepoints = request.tracepoints;
    config.snaplen = request.snaplen;
    config.cpus_per_ring = request.cpus_per_ring;
    config.ring_bytes = request.ring_bytes;
    config.self_tgid = static_cast<__u32>(self);
    bool done = false;
    if (bool refused = trampolines_refused(); create_rings(reply, into))
        for (const Variant& variant : variants)
            if (!done &&
                (request.attach == Attach::automatic || request.attach == variant.attach) &&
                !(refused && variant.attach == Attach::per_syscall))
                done = try_variant(variant, config, reply, into);
    reply.error = done ? 0 : errno;
    if (!done)
        reply.status = request.attach == Attach::per_syscall ? wire::Status::attach_unsupported
                                                             : wire::Status::load_failed;
    reply.load_ns = now(CLOCK_MONOTONIC) - reply.load_begin_ns;
    return reply;
}

} // namespace tiercel::privd
