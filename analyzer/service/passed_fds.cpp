// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/passed_fds.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "shared/os/inherited.h"

namespace tiercel::app {

namespace {

std::string& names() {
    static std::string all;
    return all;
}

struct Passed {
    std::string name;
    int fd;
    bool taken;
};

// Names that are missing are empty.
std::vector<Passed> list() {
    std::vector<Passed> made;
    std::string_view rest = names();
    for (int i = 0; i < os::inherited().listen_fds; ++i) {
        const std::string_view name = rest.substr(0, rest.find(':'));
        made.push_back({std::string(name), os::kFirstPassedFd + i, false});
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    }
    return made;
}

std::vector<Passed>& passed() {
    static std::vector<Passed> all = list();
    return all;
}

} // namespace

void note_passed_names() {
    const char* given = std::getenv("LISTEN_FDNAMES");
    names() = given != nullptr ? given : "";
}

std::vector<PassedFd> take_passed(std::string_view prefix) {
    std::vector<PassedFd> made;
    for (Passed& each : passed())
        if (each.name.starts_with(prefix) && !std::exchange(each.taken, true))
            made.push_back({each.name.substr(prefix.size()), os::UniqueFd(each.fd)});
    return made;
}

std::vector<int> passed_sockets() {
    std::vector<int> made;
    for (const Passed& each : passed())
        if (!each.name.starts_with(kStoredPrefix))
            made.push_back(each.fd);
    return made;
}

} // namespace tiercel::app
