// SPDX-License-Identifier: Apache-2.0
//
// oci-profile: a container's seccomp profile, as OCI runtimes, Docker and Kubernetes (type
// Localhost) take it, made of the same lists as the filters that the programs install themselves.
// It is their outer ring: by call alone, because what is started needs more than what runs, and the
// inner filter checks arguments. A call that is not in it fails with EPERM, for the runtime's sake,
// which probes; our own filters kill.
//
// Usage: oci-profile analyzer | privd | enricher
#include "policy/analyzer_syscalls.h"
#include "policy/container_syscalls.h"
#include "policy/enricher_syscalls.h"
#include "policy/privd_syscalls.h"
#include "policy/start_syscalls.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>

using namespace tiercel::policy;

namespace {

using Names = std::set<std::string>;

struct Free {
    void operator()(char* text) const { std::free(text); }
};

// Calls that this architecture does not have (negative for libseccomp) have no name to print.
void add(std::span<const Allow> list, Names& names) {
    for (const Allow& allow : list)
        for (const int call : allow.calls)
            if (const std::unique_ptr<char, Free> name(
                    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call));
                call >= 0 && name)
                names.insert(name.get());
}

const char* architecture() {
    switch (seccomp_arch_native()) {
    case SCMP_ARCH_X86_64: return "SCMP_ARCH_X86_64";
    case SCMP_ARCH_AARCH64: return "SCMP_ARCH_AARCH64";
    default: return nullptr;
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view program = argc == 2 ? argv[1] : "";
    Names names;
    add(runtime_start, names);
    if (program == "analyzer") {
        add(analyzer_start, names);
        add(analyzer_steady, names);
        add(analyzer_metrics, names);
    } else if (program == "privd") {
        add(privd_start, names);
        add(privd_listen, names);
        add(privd_load, names);
        add(privd_load_bpf, names);
        add(privd_load_classic, names);
        add(privd_steady, names);
        add(privd_steady_classic, names);
    } else if (program == "enricher") {
        add(enricher_start, names);
        add(enricher_listen, names);
        add(enricher_steady, names);
    } else {
        std::fputs("usage: oci-profile analyzer | privd | enricher\n", stderr);
        return 2;
    }
    if (architecture() == nullptr) {
        std::fputs("oci-profile: this architecture has no name in OCI profiles that we know\n",
                   stderr);
        return 1;
    }
    std::printf("{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"defaultErrnoRet\": 1,\n"
                "  \"architectures\": [\"%s\"],\n  \"syscalls\": [\n    {\"action\": "
                "\"SCMP_ACT_ALLOW\", \"names\": [",
                architecture());
    const char* separator = "";
    for (const std::string& name : names) {
        std::printf("%s\n      \"%s\"", separator, name.c_str());
        separator = ",";
    }
    std::puts("\n    ]}\n  ]\n}");
    return std::ferror(stdout) != 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
