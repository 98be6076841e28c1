// SPDX-License-Identifier: Apache-2.0
#include "analyzer/explain/explain.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "analyzer/explain/surroundings.h"
#include "policy/privilege/reasons.h"

namespace tiercel::explain {

using policy::Driver;
using policy::HostFacts;
using Json = nlohmann::ordered_json;

namespace {

std::vector<std::string> names(std::uint64_t mask, std::size_t cut = 0) {
    std::vector<std::string> list;
    for (const auto& [capability, name] : wire::kCapabilityTable)
        if (mask >> capability & 1)
            list.emplace_back(name + cut);
    return list;
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

// What privd has to start with.
std::uint64_t needed(Driver driver, const HostFacts& facts) {
    return policy::plan(driver, facts.kernel).held(policy::Phase::start);
}

struct Grant {
    std::uint64_t own, init; // of what is needed: not held by this process; not grantable by PID 1
};

Grant lacking(std::uint64_t mask, const HostFacts& facts) {
    return {mask & ~(facts.permitted & facts.bounding), mask & ~facts.init_bounding};
}

// What the sysctl cannot tell, and what no capability of the plan gives.
std::vector<std::string> notes(Driver driver, const HostFacts& facts) {
    std::vector<std::string> list;
    if (driver == Driver::classic && facts.kernel.distro != policy::Distro::other &&
        facts.kernel.perf_event_paranoid > 2)
        list.emplace_back(
            "perf_event_paranoid alone does not tell: Debian above 2 and Ubuntu above 2 or 4, by "
            "release, check CAP_SYS_ADMIN, later Ubuntu kernels CAP_PERFMON; only trying decides");
    if (driver == Driver::classic && !facts.kernel.btf)
        list.emplace_back(
            "this kernel has no BTF, so a file has to describe its types: privd --btf");
    if (driver == Driver::module && facts.loads_modules && !facts.module_loaded)
        list.emplace_back("the module is not loaded: `sudo tiercel-driver module load`");
    if (driver == Driver::modern && facts.initial_user_namespace &&
        facts.kernel.version >= policy::kTokenKernel)
        list.emplace_back(
            "with systemd 258 or newer, privd can load with no capability on this host, by a BPF "
            "token: /usr/share/doc/tiercel/examples/bpf-token.conf");
    const wire::DriverRow* row = wire::find_row(driver);
    if (row != nullptr && row->bpf)
        list.push_back(fmt::format("`sudo privd --prove-caps --driver {}` tries its load with each "
                                   "capability removed",
                                   row->option));
    if (policy::plan(driver, facts.kernel).held(policy::Phase::door) && driver != Driver::userspace)
        list.emplace_back(
            "environ and fd/ of other users' processes are files of mode 0400 and 0500: without "
            "CAP_DAC_READ_SEARCH, which privd does not ask for, CAP_SYS_PTRACE does not open them, "
            "so environment and open files of what ran before the start stay unknown");
    constexpr std::uint64_t kBpf = std::uint64_t{1} << CAP_BPF,
                            kAdmin = std::uint64_t{1} << CAP_SYS_ADMIN;
    if (row != nullptr && row->bpf && facts.kernel.has_cap_bpf() && (facts.bounding & kBpf) == 0 &&
        (facts.bounding & kAdmin) != 0)
        list.emplace_back(
            "this process can have CAP_SYS_ADMIN and not CAP_BPF, as in containers of a Docker or "
            "runc that does not know CAP_BPF; privd asks for CAP_BPF and CAP_PERFMON by their "
            "names, so start it outside the container, or with a runtime that knows them");
    if (facts.seccomp == 2 && driver != Driver::userspace)
        list.emplace_back("this process runs under a seccomp filter, which may refuse bpf(2) or "
                          "perf_event_open(2) "
                          "whatever is granted");
    return list;
}

struct Verdict {
    bool works;
    std::string why;
};

// A clause for kernels whose BPF a vendor has taken from newer ones: has_cap_bpf() says that much
// of it is there, but not whether the verifier takes the probes.
std::string doubt(Driver driver, const HostFacts& facts) {
    const wire::DriverRow* row = wire::find_row(driver);
    const bool backported =
        row != nullptr && row->bpf && facts.kernel.version < policy::kernel(5, 8);
    return backported
               ? "; likely, because this kernel has CAP_BPF of 5.8: sudo tiercel drivers tries"
               : "";
}

// Whether the driver can work here, in one clause that says why.
Verdict judge(Driver driver, const HostFacts& facts) {
    if (const auto blocked = policy::blocker(driver, facts); blocked != policy::Blocker::none)
        return {false, policy::describe(blocked, facts)};
    if (driver == Driver::module && !facts.module_loaded)
        return {false, "the module is not loaded: sudo tiercel-driver install, then module load"};
    if (driver == Driver::classic && !facts.kernel.btf)
        return {false, "this kernel has no BTF: tiercel-driver btf makes a file for privd --btf"};
    const std::uint64_t mask = needed(driver, facts);
    const auto [own, init] = lacking(mask, facts);
    if (mask == 0)
        return {true,
                driver == Driver::userspace
                    ? "no capability is needed, for the programs that it starts or attaches to"
                    : "no capability is needed"};
    if (own == 0 && policy::loads_by_token(driver, facts))
        return {true, joined(names(mask), ", ") +
                          " in this user namespace and, by a BPF token, none on the host"};
    if (own != 0 && init != 0)
        return {false, "no process here can grant " + joined(names(init), ", ")};
    return {true,
            joined(names(mask), ", ") +
                (own == 0 ? ", which this process can grant" : ", which a service can grant") +
                doubt(driver, facts)};
}

std::string verdict(const HostFacts& facts) {
    auto taken = automatic_driver(facts);
    if (!taken)
        return "--driver auto finds no driver that works here";
    std::uint64_t mask = needed(*taken, facts);
    auto [own, init] = lacking(mask, facts);
    std::string grant =
        mask == 0   ? "no capability is needed"
        : own == 0  ? "this process can grant what it needs (" + joined(names(mask), ", ") + ")"
        : init == 0 ? "a service can grant what it needs (" + joined(names(mask), ", ") +
                          "); this process lacks " + joined(names(own), ", ")
                    : "no process here can grant " + joined(names(init), ", ");
    return fmt::format("--driver auto takes {}: {}", wire::option_of(*taken), grant);
}

Json to_json(Driver driver, const HostFacts& facts) {
    Json rows = Json::array();
    for (const auto& [capability, name] : wire::kCapabilityTable) {
        policy::Reason reason = policy::explain(driver, capability, facts);
        rows.push_back({{"capability", name},
                        {"needed", reason.needed},
                        {"until", reason.until},
                        {"check", reason.check},
                        {"decided", reason.decided}});
    }
    std::uint64_t mask = needed(driver, facts);
    auto [own, init] = lacking(mask, facts);
    const Verdict works = judge(driver, facts);
    return {{"driver", wire::option_of(driver)},
            {"works", works.works},
            {"why", works.why},
            {"blocked_by", policy::describe(policy::blocker(driver, facts), facts)},
            {"capabilities", rows},
            {"privd_needs", names(mask)},
            {"this_process_lacks", names(own)},
            {"pid1_lacks", names(init)},
            {"notes", notes(driver, facts)}};
}

class Printer {
  public:
    Printer(std::ostream& out, bool color) : out_(out), color_(color) {}

    template <typename... T>
    void line(fmt::format_string<T...> format, T&&... values) {
        fmt::print(out_, format, std::forward<T>(values)...);
        out_ << '\n';
    }
    void title(const std::string& text) {
        line("{}{}{}", color_ ? "\033[1m" : "", text, color_ ? "\033[0m" : "");
    }

    void driver(Driver driver, const HostFacts& facts) {
        std::string blocked = policy::describe(policy::blocker(driver, facts), facts);
        title(fmt::format("driver {}{}", wire::option_of(driver),
                          blocked.empty() ? "" : ": cannot work here, " + blocked));
        for (const auto& [capability, name] : wire::kCapabilityTable) {
            policy::Reason reason = policy::explain(driver, capability, facts);
            std::string held =
                reason.needed ? fmt::format("needed, until: {}", reason.until) : "not needed";
            line("  {:<17}{:<30}{}", name, held, reason.decided);
            if (reason.needed)
                line("  {:<17}  {}", "", reason.check);
        }
        grants(needed(driver, facts), facts);
        for (const std::string& note : notes(driver, facts))
            line("  note: {}", note);
        out_ << '\n';
    }

  private:
    void grants(std::uint64_t mask, const HostFacts& facts) {
        auto [own, init] = lacking(mask, facts);
        line("  this process could grant: {}",
             own ? "not " + joined(names(own), ", ") : std::string("all of it"));
        line("  a service (PID 1) could grant: {}",
             init ? "not " + joined(names(init), ", ") : std::string("all of it"));
        line("  systemd:    AmbientCapabilities={}", joined(names(mask), " "));
        line("              CapabilityBoundingSet={}", joined(names(mask), " "));
        std::string docker;
        for (const std::string& name : names(mask, 4))
            docker += " --cap-add=" + name;
        line("  docker run: --cap-drop=ALL{}", docker);
        line("  Kubernetes: capabilities: {{drop: [ALL]{}}}",
             mask ? ", add: [" + joined(names(mask, 4), ", ") + "]" : std::string());
    }

    std::ostream& out_;
    bool color_;
};

// What was looked at, in the order in which it decides.
Json looked_at(const HostFacts& facts) {
    static constexpr const char* kLockdowns[] = {"none", "integrity", "confidentiality"};
    const policy::KernelFacts& kernel = facts.kernel;
    Json looked = {{"kernel", policy::version_text(kernel.version)},
                   {"cap_last_cap", kernel.last_capability},
                   {"btf", kernel.btf},
                   {"ring buffer", kernel.has_cap_bpf()},
                   {"iterators", kernel.btf && kernel.has_cap_bpf()},
                   {"memlock accounting", kernel.charges_cgroup() ? "cgroup" : "RLIMIT_MEMLOCK"},
                   {"unprivileged_bpf_disabled", facts.unprivileged_bpf_disabled},
                   {"perf_event_paranoid", kernel.perf_event_paranoid},
                   {"lockdown", kLockdowns[static_cast<std::size_t>(facts.lockdown)]},
                   {"yama ptrace_scope",
                    kernel.ptrace_scope < 0 ? Json("no Yama") : Json(kernel.ptrace_scope)},
                   {"initial user namespace", facts.initial_user_namespace},
                   {"BPF delegated by token", facts.bpf_delegated},
                   {"seccomp filter", facts.seccomp == 2}};
    for (const auto& [name, value] : surroundings())
        looked[name] = value;
    return looked;
}

std::vector<Driver> drivers_of(const Options& options) {
    std::vector<Driver> drivers;
    for (const wire::DriverRow& row : wire::kDriverTable)
        if (!options.driver || *options.driver == row.driver)
            drivers.push_back(row.driver);
    return drivers;
}

void explain_json(const std::vector<Driver>& drivers, std::ostream& out, const HostFacts& facts) {
    Json list = Json::array();
    for (const Driver driver : drivers)
        list.push_back(to_json(driver, facts));
    const Json whole{{"facts", looked_at(facts)}, {"drivers", list}, {"verdict", verdict(facts)}};
    out << whole.dump(2) << '\n';
}

void explain_text(const std::vector<Driver>& drivers, Printer& printer, bool details,
                  const HostFacts& facts) {
    for (const Driver driver : drivers) {
        const auto [works, why] = judge(driver, facts);
        printer.line("{:<12} {:<4} {}", wire::option_of(driver), works ? "yes" : "no", why);
    }
    printer.line("{}", verdict(facts));
    if (!details)
        return printer.line("what decides, and each capability with the kernel's check: -v");
    printer.line("");
    printer.title("what decides here");
    const Json facts_here = looked_at(facts);
    for (const auto& [what, value] : facts_here.items())
        printer.line("  {:<26} {}", what,
                     value.is_string() ? value.get<std::string>() : value.dump());
    printer.line("");
    for (const Driver driver : drivers)
        printer.driver(driver, facts);
}

} // namespace

std::optional<Driver> automatic_driver(const HostFacts& facts) {
    for (const wire::DriverRow& row : wire::kDriverTable) {
        const bool ready = row.driver == Driver::classic  ? facts.kernel.btf // or a file, by --btf
                           : row.driver == Driver::module ? facts.module_loaded
                                                          : true;
        if (ready && policy::blocker(row.driver, facts) == policy::Blocker::none)
            return row.driver;
    }
    return std::nullopt;
}

int explain_caps(const Options& options, std::ostream& out, const HostFacts& facts) {
    const std::vector<Driver> drivers = drivers_of(options);
    Printer printer(out, options.color);
    if (options.json)
        explain_json(drivers, out, facts);
    else
        explain_text(drivers, printer, options.details, facts);
    out.flush();
    const bool works = std::ranges::any_of(
        drivers, [&facts](Driver driver) { return judge(driver, facts).works; });
    return out && works ? 0 : 1;
}

} // namespace tiercel::explain
