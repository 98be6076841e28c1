// SPDX-License-Identifier: Apache-2.0
#include "courier/confine/confine.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "policy/privilege/courier_syscalls.h"
#include "policy/privilege/landlock.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

namespace {

// What the resolver, OpenSSL and the C library read. Directories that are absent are left out.
constexpr const char* kRead[] = {"/etc",
                                 "/usr",
                                 "/lib",
                                 "/lib64",
                                 "/run/systemd/resolve",
                                 "/dev",
                                 "/proc/sys/net",
                                 "/sys/devices/system/cpu"};

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

os::Result<int> confine_files(const std::vector<std::string>& files, const std::string& writable) {
    std::vector<os::UniqueFd> open;
    std::vector<policy::Beneath> allowed;
    const auto allow = [&](const std::string& path, std::uint8_t rights) {
        open.emplace_back(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (open.back().valid())
            allowed.push_back({open.back().get(), rights});
    };
    for (const char* path : kRead)
        allow(path, policy::kReadFiles);
    for (const std::string& file : files)
        allow(directory_of(file), policy::kReadFiles);
    if (!writable.empty())
        allow(writable, policy::kReadFiles | policy::kWriteFiles | policy::kRemoveFiles);
    return policy::restrict_by_landlock(allowed, policy::Network::connect);
}

} // namespace

os::Result<void> give_up_privileges() {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        prctl(PR_CAPBSET_DROP, capability);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return os::error("give up", "privileges");
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return os::error("limit", "core files");
    return {};
}

os::Result<void> confine_to_network(const std::vector<std::string>& files,
                                    const std::string& writable, const char* program) {
    // The modules of the name service are loaded at the first question for a name.
    addrinfo* found = nullptr;
    if (getaddrinfo("localhost", nullptr, nullptr, &found) == 0)
        freeaddrinfo(found);
    if (auto confined = confine_files(files, writable); !confined)
        return confined.error();
    policy::report_refused_calls(program);
    return policy::allow_only(policy::kCourierSteady, policy::Refused::report);
}

} // namespace tiercel::courier
