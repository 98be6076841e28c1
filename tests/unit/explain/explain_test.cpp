// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "analyzer/explain/explain.h"
#include "analyzer/explain/surroundings.h"

using namespace tiercel;
using namespace tiercel::policy;

namespace {

constexpr std::uint64_t kAll = 0x1ffffffffff;

HostFacts debian_12() {
    HostFacts facts{.kernel = {.version = kernel(6, 1),
                               .last_capability = CAP_CHECKPOINT_RESTORE,
                               .distro = Distro::debian,
                               .perf_event_paranoid = 3,
                               .btf = true}};
    facts.bounding = facts.init_bounding = kAll;
    return facts;
}

std::string text(explain::Options options, const HostFacts& facts, int code = 0) {
    std::ostringstream out;
    options.details = true;
    CHECK(explain::explain_caps(options, out, facts) == code);
    return out.str();
}

bool has(const std::string& whole, const std::string& part) {
    return whole.find(part) != std::string::npos;
}

// The verdict in one line, after a line for each driver.
std::string verdict(const HostFacts& facts, int code = 0) {
    std::ostringstream out;
    CHECK(explain::explain_caps({}, out, facts) == code);
    std::istringstream lines(out.str());
    std::string line;
    for (int i = 0; i < 5; ++i)
        std::getline(lines, line);
    return line;
}

} // namespace

TEST_CASE("the modern driver on Debian 12: two capabilities, and how to grant them") {
    std::string out = text({.driver = Driver::modern}, debian_12());
    CHECK(has(out, "AmbientCapabilities=CAP_BPF CAP_PERFMON\n"));
    CHECK(has(out, "CapabilityBoundingSet=CAP_BPF CAP_PERFMON\n"));
    CHECK(has(out, "docker run: --cap-drop=ALL --cap-add=BPF --cap-add=PERFMON\n"));
    CHECK(has(out, "capabilities: {drop: [ALL], add: [BPF, PERFMON]}\n"));
    CHECK(has(out, "bpf_prog_load()"));
    CHECK_FALSE(has(out, "driver classic_bpf"));
    CHECK_FALSE(has(out, "CAP_DAC_READ_SEARCH"));
    CHECK_FALSE(has(out, "\033["));
    CHECK(has(text({.driver = Driver::modern, .color = true}, debian_12()), "\033["));
}

TEST_CASE("a token, by which privd needs no capability on the host") {
    HostFacts facts = debian_12();
    const std::string offer = "examples/bpf-token.conf";
    CHECK_FALSE(has(text({.driver = Driver::modern}, facts), offer));
    facts.kernel.version = kernel(6, 12);
    CHECK(has(text({.driver = Driver::modern}, facts), offer));
    CHECK_FALSE(has(text({.driver = Driver::classic}, facts), offer));
    facts.initial_user_namespace = false;
    facts.permitted = facts.bounding = 0xc000000000;
    CHECK(has(text({.driver = Driver::modern}, facts, 1), "without a token"));
    facts.bpf_delegated = true;
    const std::string out = text({.driver = Driver::modern}, facts);
    CHECK(has(out, "by a BPF token, none on the host"));
    CHECK(has(out, ">= 6.9, a BPF token: only in this process's user namespace"));
    CHECK_FALSE(has(out, offer));
}

TEST_CASE("the verdict says who can grant it") {
    HostFacts facts = debian_12();
    CHECK(has(verdict(facts), "takes modern_bpf: a service can grant"));
    facts.permitted = kAll;
    CHECK(has(verdict(facts), "takes modern_bpf: this process can grant"));
    facts.permitted = facts.bounding = facts.init_bounding = kAll & ~(std::uint64_t{1} << CAP_BPF);
    CHECK(has(verdict(facts), "no process here can grant CAP_BPF"));
    facts.kernel.btf = false;
    CHECK(has(verdict(facts), "takes userspace: no capability is needed"));
    facts.module_loaded = true;
    CHECK(has(verdict(facts), "takes module: no capability is needed"));
    facts.module_loaded = false;
    facts.kernel.ptrace_scope = 3;
    CHECK(has(verdict(facts, 1), "no driver that works here"));
}

TEST_CASE("the verdict comes first: a line for each driver, yes or no, and why") {
    std::ostringstream out;
    CHECK(explain::explain_caps({}, out, debian_12()) == 0);
    const std::string said = out.str();
    CHECK(said.starts_with(
        "modern_bpf   yes  CAP_BPF, CAP_PERFMON, which a service can grant\n"
        "classic_bpf  yes  CAP_SYS_PTRACE, CAP_SYS_ADMIN, which a service can grant\n"
        "module       no   the module is not loaded"));
    CHECK_FALSE(has(said, "AmbientCapabilities"));
    CHECK(has(said, ": -v\n"));
}

TEST_CASE("BPF that a vendor has taken from a newer kernel is likely to work, and no more") {
    HostFacts facts = debian_12();
    const auto lines = [&] {
        std::ostringstream out;
        explain::explain_caps({}, out, facts);
        return out.str();
    };
    CHECK_FALSE(has(lines(), "likely"));
    facts.kernel.version = kernel(4, 18);
    CHECK(has(lines(), "can grant; likely"));
}

TEST_CASE("one driver that does not work ends with 1") {
    CHECK(has(text({.driver = Driver::module}, debian_12(), 1), "module       no "));
}

TEST_CASE("a kernel that loads no modules is no reason to build one") {
    HostFacts facts = debian_12();
    facts.loads_modules = false;
    const std::string said = text({.driver = Driver::module}, facts, 1);
    CHECK(has(said, "module       no   this kernel cannot load modules"));
    CHECK_FALSE(has(said, "tiercel-driver install"));
}

TEST_CASE("a bounding set with CAP_SYS_ADMIN and without CAP_BPF is explained") {
    HostFacts facts = debian_12();
    facts.bounding = kAll & ~(std::uint64_t{1} << CAP_BPF);
    CHECK(has(text({.driver = Driver::modern}, facts), "does not know CAP_BPF"));
}

TEST_CASE("the security modules of this kernel are named, also where securityfs is not mounted") {
    for (const auto& [name, value] : explain::surroundings())
        if (name == "LSMs" && !has(value, "not known"))
            CHECK(has(value, "capability"));
}

TEST_CASE("the surroundings are those below the root") {
    char root[] = "/tmp/surroundings-XXXXXX";
    REQUIRE(mkdtemp(root) != nullptr);
    const std::filesystem::path top = root;
    const auto value = [&root](const std::string& name) {
        for (const auto& [each, text] : explain::surroundings(root))
            if (each == name)
                return text;
        return std::string("absent");
    };
    CHECK(value("loadable modules") == "no: this kernel cannot load any");
    CHECK(value("cgroups") == "not mounted");
    CHECK(value("runtime sockets") == "none");
    CHECK(has(value("libbpf"), "built with "));
    for (const char* folder :
         {"proc", "run/crio", "sys/kernel/security", "sys/fs/cgroup/system.slice"})
        std::filesystem::create_directories(top / folder);
    for (const char* file :
         {"proc/modules", "run/crio/crio.sock", "sys/fs/cgroup/cgroup.controllers"})
        std::ofstream(top / file) << "x";
    std::ofstream(top / "sys/kernel/security/lsm") << "lockdown,bpf\n";
    CHECK(value("loadable modules") == "yes");
    CHECK(value("LSMs") == "lockdown,bpf");
    CHECK(value("cgroups") == "version 2, managed by systemd");
    CHECK(value("runtime sockets") == "/run/crio/crio.sock");
    std::filesystem::remove_all(top);
}

TEST_CASE("the sysctl that does not decide, and the files that privd cannot open, are mentioned "
          "where they matter") {
    HostFacts facts = debian_12();
    CHECK(has(text({.driver = Driver::classic}, facts), "perf_event_paranoid alone does not tell"));
    CHECK(has(text({.driver = Driver::classic}, facts), "CAP_DAC_READ_SEARCH"));
    CHECK_FALSE(has(text({.driver = Driver::module}, facts, 1), "CAP_DAC_READ_SEARCH"));
    CHECK(has(text({.driver = Driver::module}, facts, 1), "the module is not loaded"));
    facts.kernel.btf = false;
    CHECK(has(text({.driver = Driver::classic}, facts, 1), "privd --btf"));
    facts.seccomp = 2;
    CHECK(has(text({.driver = Driver::modern}, facts, 1), "seccomp filter"));
    CHECK(
        has(text({.driver = Driver::modern}, facts, 1), "cannot work here, the kernel has no BTF"));
}

TEST_CASE("JSON says the same") {
    auto json = nlohmann::json::parse(text({.driver = {}, .json = true}, debian_12()));
    CHECK(json["drivers"].size() == 4);
    CHECK(json["facts"]["kernel"] == "6.1");
    auto modern = json["drivers"][0];
    CHECK(modern["driver"] == "modern_bpf");
    CHECK(modern["privd_needs"] == nlohmann::json{"CAP_BPF", "CAP_PERFMON"});
    CHECK(modern["capabilities"].size() == std::size(tiercel::wire::kCapabilityTable));
    CHECK(json["drivers"][1]["privd_needs"] == nlohmann::json{"CAP_SYS_PTRACE", "CAP_SYS_ADMIN"});
    CHECK(has(json["verdict"].get<std::string>(), "takes modern"));
}

TEST_CASE("a full disk is a failure") {
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    CHECK(explain::explain_caps({}, out, debian_12()) == 1);
}
