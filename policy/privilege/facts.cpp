// SPDX-License-Identifier: Apache-2.0
#include "policy/privilege/facts.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tiercel::policy {

KernelFacts gather_facts(const char* root) {
    char text[2048], path[4096];
    // Returns the beginning of a file, or "" if it cannot be read. The text is valid until the next
    // call.
    auto read = [&](const char* name) {
        snprintf(path, sizeof path, "%s%s", root, name);
        FILE* file = fopen(path, "re");
        text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
        if (file)
            fclose(file);
        return text;
    };
    auto number = [&](const char* name, int otherwise) {
        return *read(name) ? atoi(text) : otherwise;
    };
    KernelFacts facts;
    unsigned major = 0, minor = 0;
    if (sscanf(read("/proc/sys/kernel/osrelease"), "%u.%u", &major, &minor) == 2)
        facts.version = kernel(major, minor);
    facts.last_capability = number("/proc/sys/kernel/cap_last_cap", 0);
    // This is the distribution of the kernel, which may differ from that of a container around this
    // process.
    if (strstr(read("/proc/version"), "Ubuntu"))
        facts.distro = Distro::ubuntu;
    else if (strstr(text, "Debian"))
        facts.distro = Distro::debian;
    facts.perf_event_paranoid = number("/proc/sys/kernel/perf_event_paranoid", 2);
    facts.ptrace_scope = number("/proc/sys/kernel/yama/ptrace_scope", -1);
    facts.btf = *read("/sys/kernel/btf/vmlinux") != '\0';
    facts.memlock_unlimited =
        strstr(read("/proc/self/limits"), "Max locked memory         unlimited");
    return facts;
}

} // namespace tiercel::policy
