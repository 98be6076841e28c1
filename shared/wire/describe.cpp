// SPDX-License-Identifier: Apache-2.0
//
// The texts of privd's refusals. They live here so that the privileged side holds none of them.
#include <cstring>

#include "shared/wire/capabilities.h"
#include "shared/wire/client.h"

namespace tiercel::wire::client {

namespace {

// "one and another": the names whose bit is set in the mask; `none` if no name's bit is.
template <typename Row, std::size_t N>
std::string names_of(std::uint64_t mask, const Row (&names)[N], const char* none) {
    std::string text;
    for (const auto& [bit, name] : names)
        if (mask >> bit & 1)
            text += (text.empty() ? "" : " and ") + std::string(name);
    return text.empty() ? none : text;
}

struct TracepointName {
    int bit;
    const char* name;
};

// What enum tiercel_tracepoint tells of (kernel/common/abi.h).
constexpr TracepointName kTracepoints[] = {
    {0, "signals"}, {1, "context switches"}, {2, "page faults"}};

const char* step_name(LoadStep step) {
    switch (step) {
    case step_open: return "prepare the probe";
    case step_ring: return "create a ring buffer";
    case step_load: return "load the probe";
    case step_attach: return "attach the probe";
    case step_btf: return "open the kernel's types (/sys/kernel/btf/vmlinux, or the file of --btf)";
    case step_types: return "read the kernel's types by privd-types";
    }
    return "load the probe";
}

// What to do about an errno of bpf(2); "" when the errno says it all.
const char* hint(int number) {
    switch (number) {
    case EPERM:
    case EACCES:
        return "; `analyzer --explain-caps` shows what this kernel asks for, and `sudo privd "
               "--prove-caps` tries it";
    case ENOMEM: return "; try a smaller --ring-size";
    case EINVAL: return "; this kernel does not support the probe: see `analyzer --explain-caps`";
    default: return "";
    }
}

std::string reason(std::int32_t number) {
    return number == 0 ? "" : std::string(": ") + std::strerror(number) + hint(number);
}

std::string describe_types(std::int32_t number) {
    if (number == ENOEXEC)
        return "privd-types could not read the kernel's types; its own line on stderr says why";
    if (number == EBADMSG)
        return "privd-types wrote types that privd does not accept; install both from the same "
               "release";
    return std::string("privd could not run privd-types, which belongs beside privd: ") +
           std::strerror(number);
}

std::string describe_load(Driver driver, LoadStep step, std::int32_t number) {
    if (driver == Driver::module && step == step_open)
        return "privd could not open /dev/tiercel" + reason(number) +
               (number == ENOENT ? "; load the module: tiercel-driver module load" : "");
    if (step == step_btf && number == ENOENT)
        return std::string("this kernel has no BTF (/sys/kernel/btf/vmlinux), which the ") +
               std::string(option_of(driver)) +
               " driver needs; use a kernel built with CONFIG_DEBUG_INFO_BTF, or " +
               "privd --driver classic_bpf --btf FILE";
    if (step == step_types)
        return describe_types(number);
    if (driver == Driver::modern && step == step_ring && number == EINVAL)
        return "this kernel has no BPF ring buffer, which the modern_bpf driver needs; use Linux "
               "5.8 "
               "or newer";
    return std::string("privd could not ") + step_name(step) + reason(number);
}

} // namespace

std::string driver_options() {
    std::string text = "auto";
    for (const DriverRow& row : kDriverTable)
        text += ", " + std::string(row.option);
    return text;
}

std::string driver_kinds() {
    std::string text;
    for (const DriverRow& row : kDriverTable)
        if (!row.kind.empty())
            text += (text.empty() ? "" : ", ") + std::string(row.kind);
    return text;
}

const char* name(Attach attach) {
    static constexpr const char* kNames[] = {"auto", "tracepoint", "per_syscall"};
    return attach < Attach::count ? kNames[static_cast<std::size_t>(attach)] : "unknown";
}

std::string describe(const Reply& reply) {
    switch (reply.status) {
    case Status::ok: return "privd: ok";
    case Status::wrong_version:
        return "privd speaks version " + std::to_string(reply.detail) +
               " of the protocol, the analyzer " + std::to_string(kVersion) +
               "; install both from the same release";
    case Status::malformed:
        return "privd could not read the request; install both from the same release";
    case Status::wrong_peer:
        return "privd serves uid " + std::to_string(reply.detail) +
               " only; run the analyzer as that user, or start privd with --peer-user";
    case Status::bad_driver: return "privd knows no such driver; see `analyzer --help`";
    case Status::bad_attach: return "privd knows no such way to attach; see `analyzer --help`";
    case Status::bad_ring_bytes:
        return "the ring size must be a power of two from " + std::to_string(kRingBytesMin >> 10) +
               " KiB to " + std::to_string(kRingBytesMax >> 20) + " MiB; change --ring-size";
    case Status::bad_cpus_per_ring:
        return "at most " + std::to_string(kCpusPerRingMax) +
               " CPUs can share a ring; change --cpus-per-ring";
    case Status::bad_snaplen:
        return "at most " + std::to_string(kSnaplenMax) +
               " bytes of I/O data can be kept; change --snaplen";
    case Status::bad_args_max:
        return "of a command line " + std::to_string(kArgsMin) + " to " + std::to_string(kArgsMax) +
               " bytes can be kept; change --args-max";
    case Status::bad_tracepoints:
        if (reply.detail != 0)
            return "there are no events of " +
                   names_of(reply.detail, kTracepoints, "that tracepoint") +
                   " by this driver on this kernel; leave them out of --tracepoints, filters and "
                   "rules";
        return "privd knows no such tracepoint; install both from the same release";
    case Status::bad_filter:
        return "privd knows no such kernel filter; install both from the same release, or start "
               "the analyzer with --no-kernel-filter";
    case Status::not_built_in:
        return "this privd does not serve the driver " +
               std::string(option_of(static_cast<Driver>(reply.detail))) +
               "; start privd with --driver " +
               std::string(option_of(static_cast<Driver>(reply.detail)));
    case Status::missing_capability:
        return "privd lacks " + names_of(reply.detail, kCapabilityTable, "a capability") +
               "; start it as root, or grant it (AmbientCapabilities= in its unit)";
    case Status::memlock:
        return "this kernel charges BPF memory to RLIMIT_MEMLOCK and privd may not raise it" +
               reason(reply.error) + "; grant CAP_SYS_RESOURCE or set LimitMEMLOCK=infinity";
    case Status::load_failed:
        return describe_load(reply.driver, static_cast<LoadStep>(reply.detail), reply.error);
    case Status::attach_unsupported:
        return "this kernel refuses to attach per syscall" + reason(reply.error) +
               "; use --attach tracepoint";
    case Status::count: break;
    }
    return "privd answered with an unknown status; install both from the same release";
}

} // namespace tiercel::wire::client
