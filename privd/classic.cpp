// SPDX-License-Identifier: Apache-2.0
//
// The classic probe: raw tracepoints, and a perf buffer for each CPU that is online.
#include "policy/privilege/privd_syscalls.h"
#include "privd/probe.h"

#include <bpf/bpf.h>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tiercel_classic.skel.h>
#include <unistd.h>

namespace tiercel::privd {

namespace {

// In place of what is embedded; nullptr: no.
const char* probe_file;

// What privd loads must be root's alone to change: the file, and every directory on the way.
const char* trusted(const char* path) {
    char part[PATH_MAX];
    struct stat info {};
    if (!path || !*path)
        return nullptr;
    bool good = path[0] == '/' && strlen(path) < sizeof part;
    for (std::size_t length = 1; good && length <= strlen(path); ++length)
        if (path[length] == '/' || path[length] == '\0') {
            snprintf(part, sizeof part, "%.*s", static_cast<int>(length), path);
            good = lstat(part, &info) == 0 && info.st_uid == 0 && (info.st_mode & 022) == 0;
        }
    errno = 0;
    must(good, "use what others than root could change, or a path that is not plain:", path);
    return path;
}

// Room for every buffer, one after the other. They are mapped here because the first to map one is
// charged for it, and it was here that the limit was raised. They stay mapped until privd ends,
// which is after its peer has mapped them or gone: a buffer that nobody maps is no more.
struct Buffers {
    explicit Buffers(const wire::Reply& reply)
        : each(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + reply.ring_bytes),
          all(each * reply.cpus) {
        void* room = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        begin = static_cast<char*>(room);
    }
    bool map(std::uint32_t cpu, const os::UniqueFd& event) const {
        return begin != MAP_FAILED && mmap(begin + each * cpu, each, PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_FIXED, event.get(), 0) != MAP_FAILED;
    }
    std::size_t each, all;
    char* begin;
};

bool open_buffer(ProbeLoad& load, const Buffers& buffers, std::uint32_t cpu, bpf_object* object) {
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_BPF_OUTPUT;
    attr.sample_type = PERF_SAMPLE_RAW;
    attr.sample_period = 1;
    attr.watermark = 1; // the reader looks by itself; a quarter of the buffer wakes it
    attr.wakeup_watermark = load.reply.ring_bytes / 4;
    auto event = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (event < 0 && errno == ENODEV)
        return true; // the CPU is offline
    if (!load.into.add(wire::Kind::ring, static_cast<int>(event)))
        return false;
    const os::UniqueFd& ring = load.into.fds[0][load.into.count[0] - 1];
    return buffers.map(cpu, ring) && load.store_ring(object, cpu, ring);
}

// As large as the request says or, where the limit does not allow that, the half, and so on.
bool open_buffers(ProbeLoad& load, bpf_object* object) {
    load.reply.detail = wire::step_ring;
    for (;; load.reply.ring_bytes /= 2) {
        Buffers buffers(load.reply);
        bool good = true;
        for (std::uint32_t cpu = 0; good && cpu < load.reply.cpus; ++cpu)
            good = open_buffer(load, buffers, cpu, object);
        load.reply.ring_count = load.into.count[0];
        if (good)
            return true;
        int failure = errno;
        munmap(buffers.begin, buffers.all);
        errno = failure;
        if (failure != EPERM || load.reply.ring_count == 0 ||
            load.reply.ring_bytes == wire::ring_bytes_min)
            return false;
        while (load.into.count[0] > 0)
            load.into.fds[0][--load.into.count[0]].reset();
    }
}

bool try_object(ProbeLoad& load, bpf_object* object) {
    if (!object || !load.configure(object) || !load.load(object) || !open_buffers(load, object))
        return false;
    // The kernel empties the array when the last fd goes through which it was filled
    // (kernel/bpf/arraymap.c), so it is handed over too, frozen.
    int rings = bpf_object__find_map_fd_by_name(object, "rings");
    if (bpf_map_freeze(rings) != 0 ||
        !load.into.add(wire::Kind::link, fcntl(rings, F_DUPFD_CLOEXEC, 3)))
        return false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object)
        if (!load.attach(program))
            return false;
    return true;
}

wire::Reply prepare(const char* btf, Account user) {
    probe_file = trusted(secure_getenv("TIERCEL_BPF_PROBE"));
    return kernel_types.read(trusted(btf), user);
}

wire::Reply start(const wire::Request& request, pid_t self, Handover& into) {
    ProbeLoad load(request, self, into);
    load.reply.attach = wire::Attach::tracepoint;
    load.reply.ring_count = load.reply.cpus;
    load.reply.detail = wire::step_open;
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = kernel_types.path);
    std::size_t size = 0;
    const void* bytes = tiercel_classic_bpf__elf_bytes(&size);
    Object object(probe_file ? bpf_object__open_file(probe_file, &options)
                             : bpf_object__open_mem(bytes, size, &options),
                  bpf_object__close);
    return load.end(try_object(load, object.get()));
}

constexpr auto load_calls =
    policy::joined(policy::privd_load, policy::privd_load_bpf, policy::privd_load_classic);
constexpr auto steady_calls = policy::joined(policy::privd_steady, policy::privd_steady_classic);

} // namespace

// The door also keeps privd until the buffers are mapped.
const Driver driver{wire::Driver::classic,
                    load_calls,
                    steady_calls,
                    {wire::Type::door, sizeof(wire::DoorRequest), policy::Phase::door, answer_door},
                    prepare,
                    start};

} // namespace tiercel::privd
