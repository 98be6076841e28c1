// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/machine.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "shared/os/clock.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

state::Address address_of(const sockaddr* from) {
    state::Address made{};
    if (from != nullptr && from->sa_family == AF_INET)
        std::memcpy(made.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
    if (from != nullptr && from->sa_family == AF_INET6)
        std::memcpy(made.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
    return made;
}

std::vector<capture::Interface> interfaces() {
    std::vector<capture::Interface> made;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return made;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
        const int family = each->ifa_addr != nullptr ? each->ifa_addr->sa_family : AF_UNSPEC;
        if (family == AF_INET || family == AF_INET6)
            made.push_back({each->ifa_name, family == AF_INET6, address_of(each->ifa_addr),
                            address_of(each->ifa_netmask), address_of(each->ifa_broadaddr)});
    }
    return made;
}

} // namespace

capture::MachineInfo this_machine() {
    capture::MachineInfo machine;
    machine.cpus = static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_CONF));
    machine.memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                           static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    char text[32];
    if (const auto most = os::read_file("", "/proc/sys/kernel/pid_max", text))
        machine.max_pid =
            os::parse_unsigned(std::string_view(text, strnlen(text, sizeof text))).value_or(0);
    gethostname(machine.hostname, sizeof machine.hostname - 1);
    machine.boot_ns = os::now_ns(CLOCK_REALTIME) - os::now_ns(CLOCK_BOOTTIME);
    machine.interfaces = interfaces();
    return machine;
}

} // namespace tiercel::app
