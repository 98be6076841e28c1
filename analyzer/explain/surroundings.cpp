// SPDX-License-Identifier: Apache-2.0
#include "analyzer/explain/surroundings.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>

namespace tiercel::explain {

namespace {

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The version of the hierarchy, and what makes the cgroups of containers: systemd makes slices.
std::string cgroups(const std::string& root) {
    const std::string mount = root + "/sys/fs/cgroup";
    const bool unified = exists(mount + "/cgroup.controllers");
    if (!unified && !exists(mount + "/cpu"))
        return "not mounted";
    const bool slices = exists(mount + "/system.slice") || exists(mount + "/systemd/system.slice");
    return std::string(unified                      ? "version 2"
                       : exists(mount + "/unified") ? "version 1 and 2"
                                                    : "version 1") +
           (slices ? ", managed by systemd" : ", managed by cgroupfs");
}

std::string runtime_sockets(const std::string& root) {
    static constexpr const char* kSockets[] = {
        "/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock",
        "/run/podman/podman.sock", "/run/k3s/containerd/containerd.sock"};
    std::string found;
    for (const char* socket : kSockets)
        if (exists(root + socket))
            found += (found.empty() ? "" : ", ") + std::string(socket);
    return found.empty() ? "none" : found;
}

// Returns the names of the security modules in force, in their order; empty if they are not known.
// lsm_list_modules(2) tells them from Linux 6.8 on, without securityfs, which containers often
// lack.
std::string active_lsms() {
    constexpr long kListModules = 461;
    constexpr std::uint64_t kFirst = 100; // include/uapi/linux/lsm.h
    static constexpr const char* kNames[] = {
        "capability", "selinux",  "smack", "tomoyo",   "apparmor", "yama", "loadpin",
        "safesetid",  "lockdown", "bpf",   "landlock", "ima",      "evm",  "ipe"};
    std::uint64_t ids[64];
    std::uint32_t bytes = sizeof ids;
    const long count = syscall(kListModules, ids, &bytes, 0);
    std::string names;
    for (long i = 0; i < count; ++i) {
        const std::uint64_t index = ids[i] - kFirst;
        names += (names.empty() ? "" : ",") +
                 (index < std::size(kNames) ? std::string(kNames[index]) : std::to_string(ids[i]));
    }
    return names;
}

} // namespace

std::vector<std::pair<std::string, std::string>> surroundings(const char* root) {
    const std::string top = root;
    std::string lsm = first_line(top + "/sys/kernel/security/lsm");
    if (lsm.empty() && top.empty())
        lsm = active_lsms();
    return {{"loadable modules",
             exists(top + "/proc/modules") ? "yes" : "no: this kernel cannot load any"},
            {"LSMs", lsm.empty() ? "not known: securityfs is not mounted" : lsm},
            {"cgroups", cgroups(top)},
            {"runtime sockets", runtime_sockets(top)},
            {"libbpf", "built with " TIERCEL_LIBBPF_VERSION}};
}

} // namespace tiercel::explain
