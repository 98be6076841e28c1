// SPDX-License-Identifier: Apache-2.0
//
// Implements the driver of the classic probe: raw tracepoints, and a perf buffer for each CPU that
// is online. It has no iterators, so privd stays as the door to /proc until its peer leaves, which
// also keeps the buffers until the peer has mapped them.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "policy/privilege/privd_syscalls.h"
#include "privd/door.h"
#include "privd/drivers/kernel_types.h"
#include "privd/drivers/probe.h"

#include <tiercel_classic.skel.h>

namespace tiercel::privd {

namespace {

// The file of TIERCEL_BPF_PROBE, read in place of the embedded probe; empty if there is none.
const void* probe_bytes;
std::size_t probe_size;

// Whether only root can change the file or directory, links included.
bool is_roots(const char* path) {
    struct stat info {};
    return lstat(path, &info) == 0 && info.st_uid == 0 && (info.st_mode & 022) == 0;
}

// Ends privd unless only root can change the file and every directory on its way, because what
// privd loads with privilege must be root's. Returns the path; nullptr if it is unset or empty.
const char* trusted(const char* path) {
    if (path == nullptr || *path == '\0')
        return nullptr;
    char part[PATH_MAX];
    bool good = path[0] == '/' && strlen(path) < sizeof part;
    for (std::size_t length = 1; good && length <= strlen(path); ++length) {
        bool ends = path[length] == '/' || path[length] == '\0';
        snprintf(part, sizeof part, "%.*s", static_cast<int>(length), path);
        good = !ends || is_roots(part);
    }
    errno = 0;
    must(good, "use what others than root could change, or a path that is not plain:", path);
    return path;
}

// Maps the file, before the account changes that may read it.
void read_probe(const char* path) {
    if (path == nullptr)
        return;
    os::UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    struct stat info {};
    must(file.valid() && fstat(file.get(), &info) == 0, "open", path);
    probe_size = static_cast<std::size_t>(info.st_size);
    void* mapped = mmap(nullptr, probe_size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    must(mapped != MAP_FAILED, "read", path);
    probe_bytes = mapped;
}

// Address space for every buffer, one after the other. privd maps them because the first to map one
// is charged for it, and privd has raised the limit. They stay mapped until privd ends, which is
// after its peer has mapped them or gone, because a buffer that no process maps is released.
class Buffers {
  public:
    explicit Buffers(const wire::Reply& reply)
        : each_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + reply.ring_bytes),
          all_(each_ * reply.cpus) {
        void* room = mmap(nullptr, all_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        begin_ = room != MAP_FAILED ? static_cast<char*>(room) : nullptr;
    }
    [[nodiscard]] bool map(std::uint32_t cpu, const os::UniqueFd& event) const {
        return begin_ != nullptr && mmap(begin_ + each_ * cpu, each_, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_FIXED, event.get(), 0) != MAP_FAILED;
    }
    void release() const {
        if (begin_ != nullptr)
            munmap(begin_, all_);
    }

  private:
    std::size_t each_, all_;
    char* begin_;
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

bool open_all_buffers(ProbeLoad& load, const Buffers& buffers, bpf_object* object) {
    for (std::uint32_t cpu = 0; cpu < load.reply.cpus; ++cpu)
        if (!open_buffer(load, buffers, cpu, object))
            return false;
    return true;
}

// Opens buffers of the size that the request asks for or, where the limit does not allow that, of
// half that size, and so on.
bool open_buffers(ProbeLoad& load, bpf_object* object) {
    load.reply.detail = wire::step_ring;
    for (;;) {
        Buffers buffers(load.reply);
        bool good = open_all_buffers(load, buffers, object);
        load.reply.ring_count = load.into.count[0];
        if (good)
            return true;
        int failure = errno;
        buffers.release();
        errno = failure;
        bool may_shrink = failure == EPERM && load.reply.ring_count > 0 &&
                          load.reply.ring_bytes > wire::kRingBytesMin;
        if (!may_shrink)
            return false;
        while (load.into.count[0] > 0)
            load.into.fds[0][--load.into.count[0]].reset();
        load.reply.ring_bytes /= 2;
    }
}

// The kernel empties the array when the last fd goes through which it was filled
// (kernel/bpf/arraymap.c), so it is passed on too, frozen.
bool keep_rings(ProbeLoad& load, bpf_object* object) {
    int rings = bpf_object__find_map_fd_by_name(object, "rings");
    return bpf_map_freeze(rings) == 0 &&
           load.into.add(wire::Kind::link, fcntl(rings, F_DUPFD_CLOEXEC, 3));
}

bool try_object(ProbeLoad& load, bpf_object* object) {
    if (!object || !load.configure(object) || !load.load(object) || !open_buffers(load, object) ||
        !keep_rings(load, object))
        return false;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
        if (!load.attach(program))
            return false;
    }
    return true;
}

wire::Reply open(const char* btf) {
    read_probe(trusted(secure_getenv("TIERCEL_BPF_PROBE")));
    return kernel_types.open(trusted(btf));
}

wire::Reply prepare(std::uint64_t mask) {
    return kernel_types.read(mask);
}

wire::Reply start(const wire::Request& request, pid_t self, Handover& into) {
    ProbeLoad load(request, self, into);
    load.reply.attach = wire::Attach::tracepoint;
    load.reply.ring_count = load.reply.cpus;
    load.reply.detail = wire::step_open;
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = kernel_types.path());
    std::size_t size = probe_size;
    const void* bytes = probe_bytes ? probe_bytes : tiercel_classic_bpf__elf_bytes(&size);
    Object object(bpf_object__open_mem(bytes, size, &options), bpf_object__close);
    return load.end(try_object(load, object.get()));
}

constexpr auto kLoadCalls =
    policy::joined(policy::kPrivdLoad, policy::kPrivdLoadBpf, policy::kPrivdLoadClassic);
constexpr auto kSteadyCalls = policy::joined(policy::kPrivdSteady, policy::kPrivdSteadyClassic);

constexpr Handler kDoor{wire::Type::door, sizeof(wire::DoorRequest), policy::Phase::door,
                        answer_door};

} // namespace

const Driver kClassicDriver{
    wire::Driver::classic, kLoadCalls, kSteadyCalls, kDoor, open, prepare, start};

} // namespace tiercel::privd
