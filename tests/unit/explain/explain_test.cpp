// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "analyzer/explain/explain.h"

using namespace tiercel;
using namespace tiercel::policy;

namespace {

constexpr std::uint64_t kAll = 0x1ffffffffff;

HostFacts debian_12() {
    HostFacts facts{.kernel = {.version = kernel(6, 1),
                               .distro = Distro::debian,
                               .perf_event_paranoid = 3,
                               .btf = true}};
    facts.bounding = facts.init_bounding = kAll;
    return facts;
}

std::string text(const explain::Options& options, const HostFacts& facts) {
    std::ostringstream out;
    CHECK(explain::explain_caps(options, out, facts) == 0);
    return out.str();
}

bool has(const std::string& whole, const std::string& part) {
    return whole.find(part) != std::string::npos;
}

std::string last_line(std::string whole) {
    whole.pop_back();
    return whole.substr(whole.rfind('\n') + 1);
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

TEST_CASE("the verdict says who can grant it") {
    HostFacts facts = debian_12();
    CHECK(has(last_line(text({}, facts)), "takes modern_bpf: a service can grant"));
    facts.permitted = kAll;
    CHECK(has(last_line(text({}, facts)), "takes modern_bpf: this process can grant"));
    facts.permitted = facts.bounding = facts.init_bounding = kAll & ~(std::uint64_t{1} << CAP_BPF);
    CHECK(has(last_line(text({}, facts)), "no process here can grant CAP_BPF"));
    facts.kernel.btf = false;
    CHECK(has(last_line(text({}, facts)), "takes userspace: no capability is needed"));
    facts.module_loaded = true;
    CHECK(has(last_line(text({}, facts)), "takes module: no capability is needed"));
    facts.module_loaded = false;
    facts.kernel.ptrace_scope = 3;
    CHECK(has(last_line(text({}, facts)), "no driver that works here"));
}

TEST_CASE("the sysctl that does not decide, and the files that privd cannot open, are mentioned "
          "where they matter") {
    HostFacts facts = debian_12();
    CHECK(has(text({.driver = Driver::classic}, facts), "perf_event_paranoid alone does not tell"));
    CHECK(has(text({.driver = Driver::classic}, facts), "CAP_DAC_READ_SEARCH"));
    CHECK_FALSE(has(text({.driver = Driver::module}, facts), "CAP_DAC_READ_SEARCH"));
    CHECK(has(text({.driver = Driver::module}, facts), "the module is not loaded"));
    facts.kernel.btf = false;
    CHECK(has(text({.driver = Driver::classic}, facts), "privd --btf"));
    facts.seccomp = 2;
    CHECK(has(text({.driver = Driver::modern}, facts), "seccomp filter"));
    CHECK(has(text({.driver = Driver::modern}, facts), "cannot work here, the kernel has no BTF"));
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
