// SPDX-License-Identifier: Apache-2.0
//
// Implements kept sessions: the names of their parts, the sealed description, and the checks of
// each part that comes back. The manager returns what it was given, but it was given by an analyzer
// that may have been taken over, so that each part is checked like any other input.
#include "analyzer/source/kept.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <functional>
#include <map>

#include "analyzer/prefilter/compiler.h"
#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/counters.h"
#include "analyzer/service/passed_fds.h"
#include "shared/event/table.h"
#include "shared/os/clock.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

using os::UniqueFd;

constexpr std::uint64_t kPatienceNs = 5'000'000'000; // for a manager that is busy

constexpr unsigned kFixedSize = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr unsigned kConstant = kFixedSize | F_SEAL_WRITE;

struct Description {
    std::uint64_t magic = 0x7470656b6c637274; // "trclkept"
    std::uint64_t build = 0;                  // this_build()
    wire::Request request;
    wire::Reply reply;
};

void mix(std::uint64_t& hash, std::string_view text) {
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; // FNV-1a
    hash = (hash ^ text.size()) * 0x100000001b3;
}

// Returns a number for all that a probe and an analyzer have to agree on. A probe of another event
// table would be misread.
std::uint64_t this_build() {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const event::EventInfo& event : event::events()) {
        mix(hash, event.symbol);
        for (const event::ParamInfo& param : event.params) {
            mix(hash, param.name);
            mix(hash, event::type_name(param.type));
        }
    }
    mix(hash, fmt::format("{} {} {} {}", wire::kVersion, wire::kTracepointsAll,
                          ring::Counters::kBytes, sizeof(ring::Progress::Shared)));
    return hash;
}

os::Result<UniqueFd> make_memory(const char* name, std::size_t bytes) {
    UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd.valid() || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return os::error("make", name);
    return fd;
}

os::Result<UniqueFd> make_sealed(const char* name, std::size_t bytes) {
    auto fd = make_memory(name, bytes);
    if (fd && fcntl(fd->get(), F_ADD_SEALS, kFixedSize) != 0)
        return os::error("seal", name);
    return fd;
}

os::Result<UniqueFd> describe(const wire::Request& request, const wire::Reply& reply) {
    const Description made{.build = this_build(), .request = request, .reply = reply};
    auto fd = make_memory("tiercel-session", sizeof made);
    if (!fd)
        return fd;
    if (pwrite(fd->get(), &made, sizeof made, 0) != static_cast<ssize_t>(sizeof made) ||
        fcntl(fd->get(), F_ADD_SEALS, kConstant) != 0)
        return os::error("seal", "the description of a session");
    return fd;
}

os::Result<os::Mapping> map_memory(const UniqueFd& fd, std::size_t bytes) {
    return os::Mapping::shared(fd, bytes, 0, PROT_READ | PROT_WRITE, "a kept memory");
}

bool is_memory(const UniqueFd& fd, std::size_t bytes, unsigned seals) {
    struct stat info {};
    const int sealed = fcntl(fd.get(), F_GET_SEALS);
    return sealed >= 0 && (static_cast<unsigned>(sealed) & seals) == seals &&
           fstat(fd.get(), &info) == 0 && info.st_size == static_cast<off_t>(bytes);
}

// Returns what the kernel tells of a descriptor, with a newline before and behind.
std::string information(const UniqueFd& fd) {
    std::array<char, 2048> text{};
    auto info = os::read_file("", fmt::format("/proc/self/fdinfo/{}", fd.get()).c_str(), text);
    return info ? fmt::format("\n{}\n", *info) : std::string();
}

// Returns true if the kernel says that the descriptor is of this kind ("bpf-map"), and that its
// description (/proc/self/fdinfo) has each of the lines.
bool is_kind(const UniqueFd& fd, std::string_view kind, const std::vector<std::string>& lines) {
    std::array<char, PATH_MAX> target{};
    const auto path = fmt::format("/proc/self/fd/{}", fd.get());
    const ssize_t length = readlink(path.c_str(), target.data(), target.size());
    if (length < 0 || std::string_view(target.data(), static_cast<std::size_t>(length)) !=
                          fmt::format("anon_inode:{}", kind))
        return false;
    const std::string info = information(fd);
    return std::ranges::all_of(lines, [&info](const std::string& line) {
        return info.find('\n' + line + '\n') != std::string::npos;
    });
}

// How the kernel names the kinds of descriptors of a driver.
struct Kinds {
    std::string_view ring, counters, link, iterator;
};
std::optional<Kinds> kinds_of(wire::Driver driver) {
    if (driver == wire::Driver::modern)
        return Kinds{"bpf-map", "bpf-map", "bpf_link", "bpf_iter"};
    if (driver == wire::Driver::module)
        return Kinds{"[tiercel_ring]", "[tiercel_counters]", "[tiercel_link]", "[tiercel_dump]"};
    return std::nullopt; // its rings end with their readers
}

using Parts = std::map<std::string, std::vector<UniqueFd>>;

os::Error wrong(std::string_view part) {
    return os::error("use", fmt::format("the kept {}: it is missing or another", part), EBADMSG);
}

// Takes the only descriptor of that name, if it is of that kind.
os::Result<UniqueFd> take_one(Parts& parts, const std::string& name, std::string_view kind,
                              const std::vector<std::string>& lines = {}) {
    auto& fds = parts[name];
    if (fds.size() != 1 || !is_kind(fds[0], kind, lines))
        return wrong(name);
    return std::move(fds[0]);
}

os::Result<os::Mapping> take_memory(Parts& parts, const std::string& name, std::size_t bytes) {
    auto& fds = parts[name];
    if (fds.size() != 1 || !is_memory(fds[0], bytes, kFixedSize))
        return wrong(name);
    return map_memory(fds[0], bytes);
}

os::Result<Description> take_description(Parts& parts) {
    const auto& fds = parts["session"];
    Description made;
    if (fds.size() != 1 || !is_memory(fds[0], sizeof made, kConstant) ||
        pread(fds[0].get(), &made, sizeof made, 0) != static_cast<ssize_t>(sizeof made) ||
        made.magic != Description{}.magic)
        return wrong("session");
    const wire::Reply& reply = made.reply;
    const bool sane = wire::check_values(made.request) == wire::Status::ok &&
                      reply.status == wire::Status::ok && kinds_of(reply.driver) &&
                      reply.ring_bytes == made.request.ring_bytes && reply.ring_count > 0 &&
                      std::ranges::all_of(reply.fds, [](std::uint32_t count) {
                          return count <= wire::kFdsOfKindMax;
                      });
    return sane && reply.fds[0] == reply.ring_count ? os::Result<Description>(made)
                                                    : wrong("session");
}

// Returns true if the description begins as ours do, and is of another build. Its further layout
// may be another, too.
bool is_foreign(const std::vector<UniqueFd>& session) {
    struct {
        std::uint64_t magic, build;
    } begin{};
    return session.size() == 1 &&
           pread(session[0].get(), &begin, sizeof begin, 0) == static_cast<ssize_t>(sizeof begin) &&
           begin.magic == Description{}.magic && begin.build != this_build();
}

// Returns how large the ring is, in bytes; 0 if the descriptor is no BPF ring buffer.
std::size_t size_of_ring(const UniqueFd& fd) {
    if (!is_kind(fd, "bpf-map", {"map_type:\t27"}))
        return 0;
    static constexpr std::string_view kKey = "\nmax_entries:\t";
    const std::string info = information(fd);
    const std::size_t at = info.find(kKey);
    if (at == std::string::npos)
        return 0;
    const std::string_view rest = std::string_view(info).substr(at + kKey.size());
    return os::parse_unsigned(rest.substr(0, rest.find('\n'))).value_or(0);
}

ForeignSession take_foreign(Parts& parts) {
    std::vector<UniqueFd> rings;
    std::size_t bytes = 0;
    for (auto& [name, fds] : parts)
        if (name.starts_with("ring-") && fds.size() == 1)
            if (const std::size_t size = size_of_ring(fds[0]); size > 0) {
                bytes = size;
                rings.push_back(std::move(fds[0]));
            }
    auto mapped = ring::RingSet::map<ring::BpfRing>(rings, bytes);
    return {mapped ? *std::move(mapped) : ring::RingSet()};
}

os::Result<void> take_rings(Parts& parts, const wire::Reply& reply,
                            wire::client::Session& session) {
    const Kinds kinds = *kinds_of(reply.driver);
    const bool bpf = reply.driver == wire::Driver::modern;
    std::vector<std::string> ring, counters;
    if (bpf) { // BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_ARRAY of include/uapi/linux/bpf.h
        ring = {"map_type:\t27", fmt::format("max_entries:\t{}", reply.ring_bytes)};
        counters = {"map_type:\t2", fmt::format("max_entries:\t{}", reply.cpus),
                    fmt::format("value_size:\t{}", ring::Counters::kBytes), "frozen:\t1"};
    }
    for (std::uint32_t i = 0; i < reply.ring_count; ++i) {
        auto fd = take_one(parts, fmt::format("ring-{}", i), kinds.ring, ring);
        if (!fd)
            return fd.error();
        session.rings.push_back(*std::move(fd));
    }
    auto fd = take_one(parts, "counters", kinds.counters, counters);
    if (!fd)
        return fd.error();
    session.counters.push_back(*std::move(fd));
    session.links = std::move(parts["links"]);
    const bool good =
        session.links.size() == reply.fds[static_cast<std::size_t>(wire::Kind::link)] &&
        std::ranges::all_of(session.links, [&kinds](const UniqueFd& link) {
            return is_kind(link, kinds.link, {});
        });
    return good ? os::Result<void>() : wrong("links");
}

// An iterator is read once, so each analyzer has its own.
os::Result<void> take_iterators(Parts& parts, const wire::Reply& reply, std::uint64_t reader,
                                wire::client::Session& session) {
    const Kinds kinds = *kinds_of(reply.driver);
    auto tasks = take_one(parts, fmt::format("task-{}", reader), kinds.iterator);
    auto files = take_one(parts, fmt::format("file-{}", reader), kinds.iterator);
    if (!tasks || !files)
        return os::error("use",
                         fmt::format("the kept session: it has no iterator for its reader "
                                     "number {}",
                                     reader + 1),
                         0);
    session.iter_task.push_back(*std::move(tasks));
    session.iter_task_file.push_back(*std::move(files));
    return {};
}

// Stores descriptors one by one, each with its number in its name.
os::Result<void> store_numbered(const Notify& notify, std::string_view name,
                                std::span<const UniqueFd> fds, std::uint64_t deadline_ns) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
        const int fd = fds[i].get();
        const auto full = fmt::format("{}{}-{}", kStoredPrefix, name, i);
        if (auto stored = notify.store(full, {&fd, 1}, deadline_ns); !stored)
            return stored;
    }
    return {};
}

os::Result<void> store_together(const Notify& notify, std::string_view name,
                                std::span<const UniqueFd> fds, std::uint64_t deadline_ns) {
    std::vector<int> numbers;
    for (const UniqueFd& fd : fds)
        numbers.push_back(fd.get());
    const auto full = fmt::format("{}{}", kStoredPrefix, name);
    for (std::span<const int> rest = numbers; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), Notify::kMostStored));
        if (auto stored = notify.store(full, some, deadline_ns); !stored)
            return stored;
        rest = rest.subspan(some.size());
    }
    return {};
}

} // namespace

os::Result<Kept> take_kept() {
    Parts parts;
    for (PassedFd& passed : take_passed(kStoredPrefix))
        parts[passed.name].push_back(std::move(passed.fd));
    if (parts.empty())
        return Kept();
    if (is_foreign(parts["session"]))
        return Kept(take_foreign(parts));
    auto description = take_description(parts);
    if (!description)
        return description.error();
    KeptSession kept{.request = description->request, .session = {}, .memories = {}};
    kept.session.reply = description->reply;
    auto progress = take_memory(parts, "progress", sizeof(ring::Progress::Shared));
    if (!progress)
        return progress.error();
    kept.memories.progress = ring::Progress(*std::move(progress));
    auto alerts = take_memory(parts, "alerts", kAlertBytes);
    if (!alerts)
        return alerts.error();
    kept.memories.alerts = *std::move(alerts);
    if (auto taken = take_rings(parts, description->reply, kept.session); !taken)
        return taken.error();
    const std::uint64_t reader = kept.memories.progress.shared().readers;
    if (auto taken = take_iterators(parts, description->reply, reader, kept.session); !taken)
        return taken.error();
    return Kept(std::move(kept));
}

bool covers(const wire::Request& loaded, const wire::Reply& reply, const wire::Request& wanted) {
    bool all = (wanted.driver == wire::Driver::automatic || wanted.driver == reply.driver) &&
               (wanted.attach == wire::Attach::automatic || wanted.attach == reply.attach) &&
               wanted.ring_bytes == loaded.ring_bytes &&
               wanted.cpus_per_ring == loaded.cpus_per_ring && wanted.snaplen <= loaded.snaplen &&
               wanted.args_max <= loaded.args_max &&
               (wanted.tracepoints & ~loaded.tracepoints) == 0;
    all = all && prefilter::covers(loaded.filter, wanted.filter);
    for (std::size_t i = 0; i < wire::kInterestWords; ++i)
        all = all && (wanted.interest[i] & ~loaded.interest[i]) == 0;
    return all;
}

os::Result<Memories> keep(const Notify& notify, const wire::Request& request,
                          const wire::client::Session& session) {
    const std::uint64_t deadline_ns = os::now_ns(CLOCK_MONOTONIC) + kPatienceNs;
    auto description = describe(request, session.reply);
    auto progress = make_sealed("tiercel-progress", sizeof(ring::Progress::Shared));
    auto alerts = make_sealed("tiercel-alerts", kAlertBytes);
    for (auto* made : {&description, &progress, &alerts})
        if (!*made)
            return made->error();
    auto progress_map = map_memory(*progress, sizeof(ring::Progress::Shared));
    auto alerts_map = map_memory(*alerts, kAlertBytes);
    if (!progress_map || !alerts_map)
        return os::error("map", "a kept memory");
    const std::function<os::Result<void>()> steps[] = {
        [&] { return store_numbered(notify, "ring", session.rings, deadline_ns); },
        [&] { return store_together(notify, "counters", session.counters, deadline_ns); },
        [&] { return store_together(notify, "links", session.links, deadline_ns); },
        [&] { return store_numbered(notify, "task", session.iter_task, deadline_ns); },
        [&] { return store_numbered(notify, "file", session.iter_task_file, deadline_ns); },
        [&] {
            return store_together(notify, "progress", {&*progress, 1}, deadline_ns);
        },
        [&] {
            return store_together(notify, "alerts", {&*alerts, 1}, deadline_ns);
        },
        // The last, because without it nothing of the others is used.
        [&] {
            return store_together(notify, "session", {&*description, 1}, deadline_ns);
        },
    };
    for (const auto& step : steps)
        if (auto stored = step(); !stored)
            return stored.error();
    return Memories{ring::Progress(*std::move(progress_map)), *std::move(alerts_map), {}};
}

void forget_kept(const Notify& notify) {
    const std::uint64_t deadline_ns = os::now_ns(CLOCK_MONOTONIC) + kPatienceNs;
    for (const std::string_view name : {"session", "counters", "links", "progress", "alerts"})
        notify.forget(fmt::format("{}{}", kStoredPrefix, name), deadline_ns);
    for (std::size_t i = 0; i < kReaders + 3; ++i)
        for (const std::string_view name : {"ring", "task", "file"})
            notify.forget(fmt::format("{}{}-{}", kStoredPrefix, name, i), deadline_ns);
}

} // namespace tiercel::app
