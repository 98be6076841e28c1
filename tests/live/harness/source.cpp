// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness/source.h"

#include "kernel/common/abi.h"
#include "tests/live/harness/directory.h"

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace tiercel::live {

namespace {

constexpr std::uint32_t ring_bytes = 16 << 20;
constexpr std::uint32_t busy_bit = 1u << 31,
                        discard_bit = 1u << 30; // linux/bpf.h, BPF_RINGBUF_*_BIT
constexpr std::size_t record_header = 8;        // u32 length, u32 page offset

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
            execl(binary, binary, "--user", "nobody", "--peer-user", "root", "--socket",
                  socket.c_str(), static_cast<char*>(nullptr));
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
    auto mapping = os::Mapping::shared(fd, bytes, offset, protection, "what privd handed over");
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

} // namespace

Source::Source(const SourceOptions& options) {
    const Directory directory;
    const std::string path = directory.path() + "/privd";
    const pid_t privd = start_driver(options, path);
    const os::UniqueFd socket = connect_when_ready(path, privd);
    wire::Request request;
    request.driver = options.driver;
    request.attach = options.attach;
    request.ring_bytes = ring_bytes;
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
    if (session_.wakeups.empty()) // else the driver lives as long as its events are wanted
        waitpid(privd, nullptr, 0);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    if (session_.rings.size() != 1 || session_.counters.size() != 1)
        throw std::runtime_error("privd handed over " + std::to_string(session_.rings.size()) +
                                 " rings instead of 1");
    consumer_ = mapped(session_.rings[0], page, 0, PROT_READ | PROT_WRITE);
    producer_ = mapped(session_.rings[0], page + 2 * std::size_t{ring_bytes},
                       static_cast<off_t>(page), PROT_READ);
    counters_ = mapped(session_.counters[0], session_.reply.cpus * sizeof(tiercel_cpu_counters), 0,
                       PROT_READ);
}

void Source::drain(const std::function<void(EventBytes, unsigned)>& take) {
    const std::byte* data = producer_.data() + sysconf(_SC_PAGESIZE);
    auto* consumed = reinterpret_cast<std::atomic<std::uint64_t>*>(consumer_.data());
    std::uint64_t position = consumed->load(std::memory_order_relaxed);
    const std::uint64_t end = load_position(producer_);
    while (position < end) {
        const std::byte* record = data + (position & (ring_bytes - 1));
        const std::uint32_t length =
            reinterpret_cast<const std::atomic<std::uint32_t>*>(record)->load(
                std::memory_order_acquire);
        if (length & busy_bit)
            return;
        const std::size_t bytes = length & ~(busy_bit | discard_bit);
        if (!(length & discard_bit)) {
            tiercel_record_trailer trailer{};
            const std::byte* event = record + record_header;
            std::memcpy(&trailer, event + bytes - sizeof trailer, sizeof trailer);
            take(EventBytes(event, event + bytes - sizeof trailer), trailer.cpu);
        }
        position += (bytes + record_header + 7) / 8 * 8;
        consumed->store(position, std::memory_order_release);
    }
}

std::uint64_t Source::sum_counters(std::size_t first, std::size_t count) const {
    const auto* counters = reinterpret_cast<const std::uint64_t*>(counters_.data());
    constexpr std::size_t stride = sizeof(tiercel_cpu_counters) / sizeof(std::uint64_t);
    std::uint64_t sum = 0;
    for (std::size_t cpu = 0; cpu < session_.reply.cpus; ++cpu)
        for (std::size_t i = first; i < first + count; ++i)
            sum += counters[cpu * stride + i];
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
