// SPDX-License-Identifier: Apache-2.0
//
// Implements what both BPF probes need of libbpf: the configuration in read-only data, the sizes of
// maps, the load, raw tracepoints.
#include "privd/drivers/probe.h"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <cstring>

#include "privd/drivers/complaint.h"

namespace tiercel::privd {

namespace {

bool wanted(std::string_view program, std::uint32_t tracepoints) {
    if (program.starts_with("page_fault_"))
        return tracepoints & TIERCEL_TP_PAGE_FAULT;
    if (program == "sched_switch")
        return tracepoints & TIERCEL_TP_SWITCH;
    if (program == "sys_enter" || program.starts_with("fentry_"))
        return tracepoints & TIERCEL_TP_PATHS;
    return program != "signal_deliver" || tracepoints & TIERCEL_TP_SIGNAL;
}

struct Maps {
    bpf_map *config, *rings, *counters, *scratch, *entries, *long_texts;
};

// Returns false if the object is no probe of ours.
bool find_maps(bpf_object* object, Maps& maps) {
    maps.config = bpf_object__find_map_by_name(object, ".rodata.config");
    maps.rings = bpf_object__find_map_by_name(object, "rings");
    maps.counters = bpf_object__find_map_by_name(object, "counters");
    maps.scratch = bpf_object__find_map_by_name(object, "scratch");
    maps.entries = bpf_object__find_map_by_name(object, "entries");
    maps.long_texts = bpf_object__find_map_by_name(object, "long_texts");
    return maps.config && maps.rings && maps.counters && maps.scratch && maps.entries &&
           maps.long_texts;
}

// The map's size as declared is that of one CPU.
bool scale(bpf_map* map, std::uint32_t cpus) {
    return bpf_map__set_max_entries(map, bpf_map__max_entries(map) * cpus) == 0;
}

} // namespace

ProbeLoad::ProbeLoad(const wire::Request& request, pid_t self, Handover& handover)
    : Load(request, self, handover) {
    keep_complaint(handover.complaint, sizeof handover.complaint);
    reply.cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
}

bool ProbeLoad::configure(bpf_object* object) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
        bool chosen = wanted(bpf_program__name(program), config.tracepoints);
        bpf_program__set_autoload(program, chosen);
    }
    Maps maps{};
    if (!find_maps(object, maps) || !configure_uring(object))
        return false;
    bool at_entry = config.tracepoints & TIERCEL_TP_PATHS;
    return bpf_map__set_initial_value(maps.config, &config, sizeof config) == 0 &&
           bpf_map__set_max_entries(maps.rings, reply.ring_count) == 0 &&
           bpf_map__set_max_entries(maps.counters, reply.cpus) == 0 &&
           scale(maps.scratch, reply.cpus) && scale(maps.entries, at_entry ? reply.cpus : 1) &&
           scale(maps.long_texts, at_entry ? reply.cpus : 1);
}

bool ProbeLoad::load(bpf_object* object) {
    reply.detail = wire::step_load;
    if (bpf_object__load(object) != 0)
        return false;
    int counters = bpf_object__find_map_fd_by_name(object, "counters");
    return bpf_map_freeze(counters) == 0 &&
           into.add(wire::Kind::counters, fcntl(counters, F_DUPFD_CLOEXEC, 3));
}

bool ProbeLoad::store_ring(bpf_object* object, std::uint32_t slot, const os::UniqueFd& ring) {
    int rings = bpf_object__find_map_fd_by_name(object, "rings");
    int fd = ring.get();
    return bpf_map_update_elem(rings, &slot, &fd, BPF_ANY) == 0;
}

bool ProbeLoad::attach(const bpf_program* program) {
    reply.detail = wire::step_attach;
    int fd = bpf_program__fd(program);
    if (fd < 0)
        return true; // it was not wanted, and not loaded
    const char* section = bpf_program__section_name(program);
    bool raw = std::strncmp(section, "raw_tp/", 7) == 0;
    const char* tracepoint = raw ? section + 7 : nullptr; // a typed program knows its own
    return into.add(wire::Kind::link, bpf_raw_tracepoint_open(tracepoint, fd));
}

} // namespace tiercel::privd
