// SPDX-License-Identifier: Apache-2.0
#include "privd/probe.h"

#include <bpf/bpf.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>

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

// libbpf copies the kernel's types, some 5 MiB, through memory that malloc would map and give back
// each time. On a virtual machine, faulting that in page by page is a quarter of a load's time: it
// is had once, whole (MADV_POPULATE_WRITE, from 5.14 on), and kept.
void prepare_heap() {
    mallopt(M_MMAP_THRESHOLD, 24 << 20);
    mallopt(M_TRIM_THRESHOLD, 24 << 20);
    void* heap = std::aligned_alloc(4096, 12 << 20);
    madvise(heap, 12 << 20, MADV_POPULATE_WRITE);
    std::free(heap);
}

} // namespace

ProbeLoad::ProbeLoad(const wire::Request& request, pid_t self, Handover& handover)
    : Load(request, self, handover) {
    libbpf_set_print(keep_complaint);
    prepare_heap();
    reply.cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
}

bool ProbeLoad::configure(bpf_object* object) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object)
        bpf_program__set_autoload(program, wanted(bpf_program__name(program), config.tracepoints));
    const char* const names[] = {".rodata.config", "rings", "counters", "scratch"};
    bpf_map* maps[4];
    for (int i = 0; i < 4; ++i)
        if (!(maps[i] = bpf_object__find_map_by_name(object, names[i])))
            return false;                        // no probe of ours
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
