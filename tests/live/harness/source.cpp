// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness/source.h"

#include <linux/perf_event.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include "kernel/common/abi.h"
#include "tests/live/harness/directory.h"

namespace tiercel::live {

namespace {

constexpr std::uint32_t kRingBytes = 16 << 20;
constexpr std::uint32_t kBusyBit = 1u << 31,
                        kDiscardBit = 1u << 30; // linux/bpf.h, BPF_RINGBUF_*_BIT
constexpr std::size_t kRecordHeader = 8;        // u32 length, u32 page offset

// privd, or the driver that traces a process and what it forks.
pid_t start_driver(const SourceOptions& options, const std::string& socket) {
    const char* binary = options.privd.c_str();
    const std::string target = std::to_string(options.target ? options.target : getpid());
    pid_t child = fork();
    if (child == 0) {
        if (options.driver == wire::Driver::userspace)
            execl(binary, binary, "--socket", socket.c_str(), "-p", target.c_str(),
                  static_cast<char*>(nullptr));
        else
            execl(binary, binary, "--user", "nobody", "--peer-user", "root", "--driver",
                  wire::option_of(options.driver).data(), "--socket", socket.c_str(),
                  static_cast<char*>(nullptr));
        dprintf(STDERR_FILENO, "cannot run %s: %s\n", binary, strerror(errno));
        _exit(127);
    }
    return child;
}

os::UniqueFd connect_when_ready(const std::string& socket, pid_t privd) {
    for (int attempt = 0; attempt < 500; ++attempt) {
        if (auto connected = wire::client::connect_to(socket.c_str()))
            return std::move(*connected);
        if (waitpid(privd, nullptr, WNOHANG) == privd)
            throw std::runtime_error("privd ended before it served");
        usleep(10'000);
    }
    throw std::runtime_error("privd did not serve within 5 s");
}

os::Mapping mapped(const os::UniqueFd& fd, std::size_t bytes, off_t offset, int protection) {
    auto mapping = os::Mapping::shared(fd, bytes, offset, protection, "what privd passed on");
    if (!mapping)
        throw std::runtime_error(std::string("cannot map the ring: ") +
                                 strerror(mapping.error().number));
    return std::move(*mapping);
}

// Goes on when privd has started the driver, else throws why it could not.
void refuse_or_pass(const wire::Reply& reply) {
    switch (reply.status) {
    case wire::Status::ok: return;
    case wire::Status::missing_capability:
    case wire::Status::memlock:
    case wire::Status::not_built_in:
    case wire::Status::attach_unsupported: throw Unavailable(wire::client::describe(reply));
    default:
        if (reply.error == EPERM)
            throw Unavailable(wire::client::describe(reply));
        throw std::runtime_error(wire::client::describe(reply));
    }
}

std::uint64_t load_position(const os::Mapping& page) {
    return reinterpret_cast<const std::atomic<std::uint64_t>*>(page.data())
        ->load(std::memory_order_acquire);
}

// The head of a record. One that is still being written holds up what lies behind it, which may be
// all that a test waits for; the writer's CPU can stand still for long, where it is an emulated
// one.
std::uint32_t finished_head(const std::byte* record) {
    const auto* head = reinterpret_cast<const std::atomic<std::uint32_t>*>(record);
    for (int tries = 0; tries < 4000 && head->load(std::memory_order_acquire) & kBusyBit; ++tries)
        usleep(500);
    return head->load(std::memory_order_acquire);
}

} // namespace

Source::Source(const SourceOptions& options) {
    const Directory directory;
    const std::string path = directory.path() + "/privd";
    const pid_t privd = start_driver(options, path);
    os::UniqueFd socket = connect_when_ready(path, privd);
    wire::Request request;
    request.driver = options.driver;
    request.attach = options.attach;
    request.ring_bytes = kRingBytes;
    request.cpus_per_ring = 0;
    request.snaplen = options.snaplen;
    request.tracepoints = options.tracepoints;
    std::memset(request.interest, options.syscalls ? 0xff : 0, sizeof request.interest);
    auto session = wire::client::open_session(socket, request);
    if (!session)
        throw std::runtime_error(std::string("no answer from privd: ") + session.error().what +
                                 " " + session.error().on);
    refuse_or_pass(session->reply);
    session_ = std::move(*session);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const bool perf = session_.reply.driver == wire::Driver::classic;
    for (std::size_t i = 0; perf && i < session_.rings.size(); ++i)
        buffers_.push_back(
            mapped(session_.rings[i], page + session_.reply.ring_bytes, 0, PROT_READ | PROT_WRITE));
    socket.reset();               // the buffers are mapped: privd may go
    if (session_.wakeups.empty()) // else the driver lives as long as its events are wanted
        waitpid(privd, nullptr, 0);
    if (session_.counters.size() == 1)
        counters_ = mapped(session_.counters[0], session_.reply.cpus * sizeof(tiercel_cpu_counters),
                           0, PROT_READ);
    if (perf)
        return;
    if (session_.rings.size() != 1 || session_.counters.size() != 1)
        throw std::runtime_error("privd passed on " + std::to_string(session_.rings.size()) +
                                 " rings instead of 1");
    consumer_ = mapped(session_.rings[0], page, 0, PROT_READ | PROT_WRITE);
    producer_ = mapped(session_.rings[0], page + 2 * std::size_t{kRingBytes},
                       static_cast<off_t>(page), PROT_READ);
}

// perf_event_open(2): samples whose data begins with a 32-bit length.
void Source::drain_perf_buffer(const os::Mapping& buffer, const Take& take) const {
    auto* page = reinterpret_cast<perf_event_mmap_page*>(buffer.data());
    const std::byte* data = buffer.data() + sysconf(_SC_PAGESIZE);
    const std::uint64_t end = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    std::uint64_t at = page->data_tail;
    while (at < end) {
        std::byte record[65536];
        perf_event_header header{};
        const auto copy = [&](void* to, std::size_t bytes) {
            for (std::size_t i = 0; i < bytes; ++i)
                static_cast<std::byte*>(to)[i] = data[(at + i) % session_.reply.ring_bytes];
        };
        copy(&header, sizeof header);
        copy(record, header.size);
        at += header.size;
        if (header.type != PERF_RECORD_SAMPLE)
            continue;
        event::Header event;
        tiercel_record_trailer trailer{};
        const std::byte* begin = record + sizeof header + sizeof(std::uint32_t);
        std::memcpy(&event, begin, sizeof event);
        std::memcpy(&trailer, begin + event.len, sizeof trailer);
        take(EventBytes(begin, begin + event.len), trailer.cpu);
    }
    __atomic_store_n(&page->data_tail, at, __ATOMIC_RELEASE);
}

void Source::drain(const Take& take) {
    if (buffers_.empty())
        return drain_bpf_ring(take);
    std::vector<std::pair<EventBytes, unsigned>> all;
    for (const os::Mapping& buffer : buffers_)
        drain_perf_buffer(buffer, [&all](EventBytes bytes, unsigned cpu) {
            all.emplace_back(std::move(bytes), cpu);
        });
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        std::uint64_t times[2]; // the first field
        std::memcpy(&times[0], a.first.data(), sizeof times[0]);
        std::memcpy(&times[1], b.first.data(), sizeof times[1]);
        return times[0] < times[1];
    });
    for (auto& [bytes, cpu] : all)
        take(std::move(bytes), cpu);
}

void Source::drain_bpf_ring(const Take& take) {
    const std::byte* data = producer_.data() + sysconf(_SC_PAGESIZE);
    auto* consumed = reinterpret_cast<std::atomic<std::uint64_t>*>(consumer_.data());
    std::uint64_t position = consumed->load(std::memory_order_relaxed);
    const std::uint64_t end = load_position(producer_);
    while (position < end) {
        const std::byte* record = data + (position & (kRingBytes - 1));
        const std::uint32_t length = finished_head(record);
        if (length & kBusyBit)
            return;
        const std::size_t bytes = length & ~(kBusyBit | kDiscardBit);
        if (!(length & kDiscardBit)) {
            tiercel_record_trailer trailer{};
            const std::byte* event = record + kRecordHeader;
            std::memcpy(&trailer, event + bytes - sizeof trailer, sizeof trailer);
            take(EventBytes(event, event + bytes - sizeof trailer), trailer.cpu);
        }
        position += (bytes + kRecordHeader + 7) / 8 * 8;
        consumed->store(position, std::memory_order_release);
    }
}

std::uint64_t Source::sum_counters(std::size_t first, std::size_t count) const {
    const auto* counters = reinterpret_cast<const std::uint64_t*>(counters_.data());
    constexpr std::size_t kStride = sizeof(tiercel_cpu_counters) / sizeof(std::uint64_t);
    std::uint64_t sum = 0;
    for (std::size_t cpu = 0; cpu < session_.reply.cpus; ++cpu)
        for (std::size_t i = first; i < first + count; ++i)
            sum += counters[cpu * kStride + i];
    return sum;
}

std::uint64_t Source::submitted() const {
    return sum_counters(0, 1);
}
std::uint64_t Source::drops() const {
    return sum_counters(1, TIERCEL_DROP_REASONS);
}

std::vector<EventBytes> Source::iterate(wire::Kind kind) const {
    const auto& fds = kind == wire::Kind::iter_task ? session_.iter_task : session_.iter_task_file;
    if (fds.empty())
        return {};
    EventBytes all;
    std::byte chunk[65536];
    for (ssize_t got; (got = read(fds[0].get(), chunk, sizeof chunk)) > 0;)
        all.insert(all.end(), chunk, chunk + got);
    std::vector<EventBytes> events;
    for (std::size_t at = 0; at < all.size();) {
        auto view = event::EventView::parse(event::Bytes(all).subspan(at));
        if (!view)
            throw std::runtime_error("the iterator's output is damaged");
        events.emplace_back(view->bytes().begin(), view->bytes().end());
        at += view->size();
    }
    return events;
}

} // namespace tiercel::live
