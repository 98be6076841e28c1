// SPDX-License-Identifier: Apache-2.0
//
// The whole protocol between the analyzer (client) and privd or any other driver (server), on a
// SOCK_SEQPACKET Unix socket. Every message is one record of a fixed size, header first: no
// strings, no lengths. What a driver owes besides is written in docs/DRIVER-CONTRACT.md.
//
//   analyzer                               privd
//   Request            ──────────────▶     checks every field, loads, attaches
//                      ◀──────────────     Reply (status ok, or why not: then nothing follows)
//                      ◀──────────────     Fds + SCM_RIGHTS, as many records as Reply.fds[] says
//                      ◀──────────────     Done; privd exits, or stays as the /proc door:
//   DoorRequest        ──────────────▶
//                      ◀──────────────     DoorReply, with one fd when error is 0; LinkReply for a
//                      link
//
// Only privd sends fds: a record with fds from the analyzer ends the session. Integers are in
// native byte order: both ends are on one machine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/event/filter.h"
#include "shared/wire/drivers.h"

namespace tiercel::wire {

constexpr std::uint32_t kMagic = 0x4c435254; // "TRCL"
constexpr std::uint16_t kVersion = 7;

enum class Type : std::uint16_t { open = 1, door, reply, fds, done, door_reply, link_reply };

struct Header {
    std::uint32_t magic = wire::kMagic;
    std::uint16_t version = wire::kVersion;
    Type type = Type::open;
};

enum class Attach : std::uint32_t { automatic, tracepoint, per_syscall, count };

// Limits of a Request's values. privd checks them, even if the analyzer did so before.
constexpr std::uint32_t kRingBytesMin = 64 << 10, kRingBytesMax = 1 << 30;
constexpr std::uint32_t kCpusPerRingMax = 1024, kSnaplenMax = 65000, kTracepointsAll = 15;
constexpr std::uint32_t kArgsMin = 4096, kArgsMax = 32768;
constexpr std::uint32_t kReadersMax = 512;
constexpr std::size_t kInterestWords = 8; // bit N: native syscall number N

struct Request {
    Header header{.type = Type::open};
    Driver driver = Driver::automatic;
    Attach attach = Attach::automatic;
    std::uint32_t ring_bytes = 8 << 20; // power of two; size of each ring
    std::uint32_t cpus_per_ring = 2;    // 0: one ring for all CPUs
    std::uint32_t snaplen = 80;         // bytes of I/O data kept per event
    std::uint32_t tracepoints = 0;      // enum tiercel_tracepoint
    // How many processes will read the rings, one after another; at least 1. Each gets an iterator
    // of each kind, where the driver has several. With more than 1, the probe captures the events
    // of its readers too, because their process ids are not known yet.
    std::uint32_t readers = 1;
    std::uint32_t args_max = kArgsMin; // bytes of a command line kept per event
    std::uint64_t interest[kInterestWords] = {};
    tiercel_filter filter = {}; // all zeros: nothing is filtered
};

// The kinds of fd that a driver passes. The iterators and the door give read-only access. A driver
// whose rings cannot be polled (memory, not BPF maps) passes the reading end of a non-blocking
// pipe as wakeup: bytes in it ask the reader to look, and its end says that no more events come.
enum class Kind : std::uint32_t { ring, counters, link, iter_task, iter_task_file, wakeup, count };
constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::count);
constexpr std::size_t kFdsPerMessage = 200; // below SCM_MAX_FD (253)
constexpr std::uint32_t kFdsOfKindMax = 1024;

// Why a session did or did not begin, in words: describe.cpp. With wrong_version, wrong_peer,
// bad_tracepoints, not_built_in, missing_capability and load_failed, Reply.detail is privd's
// version, the uid served, the tracepoints that the driver lacks (0: not known), the
// driver, the mask of missing capabilities and the enum LoadStep. Reply.error is the kernel's errno
// where it was the kernel that refused.
// clang-format off
enum class Status : std::uint32_t {
    ok, wrong_version, malformed, wrong_peer, bad_driver, bad_attach, bad_ring_bytes, bad_cpus_per_ring,
    bad_snaplen, bad_tracepoints, not_built_in, missing_capability, memlock, load_failed,
    attach_unsupported, bad_filter, bad_args_max, count
};
// clang-format on

// step_btf: open the kernel's types; step_types: run privd-types and check its output.
enum LoadStep : std::uint64_t {
    step_open,
    step_ring,
    step_load,
    step_attach,
    step_btf,
    step_types
};

// How long privd held which capabilities.
struct Held {
    std::uint64_t capabilities = 0; // a mask
    std::uint64_t ns = 0;
};
constexpr std::size_t kHeldMax = 4;

struct Reply {
    Header header{.type = Type::reply};
    Status status = Status::ok;
    std::int32_t error = 0;
    std::uint64_t detail = 0;
    Driver driver =
        Driver::automatic; // taken, or asked for; the rings of `classic` are perf buffers
    Attach attach = Attach::automatic; // taken
    std::uint32_t ring_count = 0;
    std::uint32_t ring_bytes = 0;
    std::uint32_t cpus = 0;          // possible CPUs: entries of the counters array
    std::uint32_t fds[kKinds] = {};  // how many of each kind follow
    std::uint32_t door = 0;          // 1: privd stays and answers DoorRequest
    std::uint64_t load_begin_ns = 0; // CLOCK_MONOTONIC when the load began
    std::uint64_t load_ns = 0;       // load and attach together
    std::uint64_t boot_time_ns =
        0; // CLOCK_REALTIME minus CLOCK_BOOTTIME in the events' times; 0: unknown
    Held held[kHeldMax] = {}; // since privd's start, in order; what it still holds is last
};

// Announces the fds that ride on this very record.
struct Fds {
    Header header{.type = Type::fds};
    Kind kind = Kind::ring;
    std::uint32_t first = 0; // index, within its kind, of the first
    std::uint32_t count = 0; // at most kFdsPerMessage
};

struct Done {
    Header header{.type = Type::done};
};

// Files of /proc/PID that the door opens. exe and cwd are links: their text comes, and no fd,
// because an fd of the target could be used to open other files.
enum class ProcFile : std::uint32_t { exe, cwd, cmdline, status, stat, cgroup, loginuid, count };

struct DoorRequest {
    Header header{.type = Type::door};
    std::int32_t pid = 0; // process or thread, > 0
    ProcFile file = ProcFile::status;
};

struct DoorReply {
    Header header{.type = Type::door_reply};
    std::int32_t error = 0; // errno of the open, or 0 with one fd
};

// The answer for a link. The text is cut at kLinkBytes.
constexpr std::size_t kLinkBytes = 4096;

struct LinkReply {
    Header header{.type = Type::link_reply};
    std::int32_t error = 0;   // errno of readlink(2), or 0
    std::uint32_t length = 0; // of the text, which has no NUL; at most kLinkBytes
    char text[kLinkBytes] = {};
};

// Sizes and offsets are the protocol: any change needs a new version.
static_assert(sizeof(Header) == 8 && sizeof(Request) == 104 + sizeof(tiercel_filter) &&
              offsetof(Request, interest) == 40 && offsetof(Request, filter) == 104);
static_assert(sizeof(Reply) == 160 && offsetof(Reply, fds) == 44 && offsetof(Reply, door) == 68 &&
              offsetof(Reply, load_begin_ns) == 72 && offsetof(Reply, held) == 96);
static_assert(sizeof(Fds) == 20 && sizeof(Done) == 8);
static_assert(sizeof(DoorRequest) == 16 && sizeof(DoorReply) == 12 && sizeof(LinkReply) == 4112);

} // namespace tiercel::wire
