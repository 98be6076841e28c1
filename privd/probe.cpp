// SPDX-License-Identifier: Apache-2.0
#include "privd/probe.h"
#include "privd/options.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

namespace tiercel::privd {

namespace {

int keep_complaint(libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? vsnprintf(complaint, sizeof complaint, format, arguments) : 0;
}

bool wanted(std::string_view program, std::uint32_t tracepoints) {
    if (program.starts_with("page_fault_"))
        return tracepoints & TIERCEL_TP_PAGE_FAULT;
    if (program == "sched_switch")
        return tracepoints & TIERCEL_TP_SWITCH;
    return program != "signal_deliver" || tracepoints & TIERCEL_TP_SIGNAL;
}

// Runs privd-types, with nothing in hand. False when it could not make anything of the file.
bool keep_wanted(const os::UniqueFd& from, const os::UniqueFd& to, Account user) {
    int status = -1;
    pid_t child = from.valid() ? fork() : -1;
    if (child == 0) {
        become(user, 0);
        dup2(from.get(), STDIN_FILENO);
        dup2(to.get(), STDOUT_FILENO);
        close_range(3, ~0u, 0);
        char name[] = "privd-types";
        char* argv[] = {name, nullptr};
        become_program("-types", "", argv);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

} // namespace

wire::Reply KernelTypes::read(const char* file, Account user) {
    os::UniqueFd from(open(file ? file : "/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC));
    memory = os::UniqueFd(memfd_create("kernel types", MFD_CLOEXEC));
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory.get());
    kept = keep_wanted(from, memory, user) ? btf__parse(path, nullptr) : nullptr;
    if (!kept)
        return {.status = wire::Status::load_failed, .error = ESRCH, .detail = wire::step_load};
    __u32 size = 0;
    auto* bytes = static_cast<const char*>(btf__raw_data(kept, &size));
    auto* header = reinterpret_cast<const btf_header*>(bytes);
    numbers =
        reinterpret_cast<const __u32*>(bytes + header->hdr_len + header->str_off + header->str_len);
    return {};
}

__u32 KernelTypes::number(const char* name) const {
    int found = btf__find_by_name_kind(kept, name, BTF_KIND_FUNC);
    if (found < 0)
        found = btf__find_by_name_kind(kept, name, BTF_KIND_TYPEDEF); // of a tracepoint
    return found > 0 ? numbers[found] : 0;
}

KernelTypes kernel_types;

ProbeLoad::ProbeLoad(const wire::Request& request, pid_t self, Handover& handover)
    : Load(request, self, handover) {
    libbpf_set_print(keep_complaint);
    reply.cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
}

bool ProbeLoad::configure(bpf_object* object) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object)
        bpf_program__set_autoload(program, wanted(bpf_program__name(program), config.tracepoints));
    const char* const names[] = {".rodata.config", "rings", "counters", "scratch"};
    bpf_map* maps[4];
    for (int i = 0; i < 4; ++i) {
        maps[i] = bpf_object__find_map_by_name(object, names[i]);
        if (!maps[i])
            return false; // no probe of ours
    }
    __u32 slots = bpf_map__max_entries(maps[3]); // as declared: those of one CPU
    return bpf_map__set_initial_value(maps[0], &config, sizeof config) == 0 &&
           bpf_map__set_max_entries(maps[1], reply.ring_count) == 0 &&
           bpf_map__set_max_entries(maps[2], reply.cpus) == 0 &&
           bpf_map__set_max_entries(maps[3], reply.cpus * slots) == 0;
}

// The counters, once frozen, are written by the probe alone.
bool ProbeLoad::load(bpf_object* object) {
    reply.detail = wire::step_load;
    if (bpf_object__load(object) != 0)
        return false;
    int counters = bpf_object__find_map_fd_by_name(object, "counters");
    return bpf_map_freeze(counters) == 0 &&
           into.add(wire::Kind::counters, fcntl(counters, F_DUPFD_CLOEXEC, 3));
}

bool ProbeLoad::store_ring(bpf_object* object, std::uint32_t slot, const os::UniqueFd& ring) {
    int fd = ring.get();
    return bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "rings"), &slot, &fd,
                               BPF_ANY) == 0;
}

bool ProbeLoad::attach(const bpf_program* program) {
    reply.detail = wire::step_attach;
    int fd = bpf_program__fd(program); // negative: not wanted, not loaded
    const char* section = bpf_program__section_name(program);
    bool typed = std::strncmp(section, "raw_tp/", 7) != 0; // those know their tracepoint
    return fd < 0 ||
           into.add(wire::Kind::link, bpf_raw_tracepoint_open(typed ? nullptr : section + 7, fd));
}

} // namespace tiercel::privd
