// SPDX-License-Identifier: Apache-2.0
//
// What /proc says of the test's own process, and so of the children that it forks: command line,
// groups, limits.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/live/harness/want.h"

namespace tiercel::live {

inline std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// "program", and its arguments each with a NUL.
struct CommandLine {
    std::string program, arguments;
    CommandLine() {
        const std::string all = read_all("/proc/self/cmdline");
        program = all.substr(0, all.find('\0'));
        arguments = all.substr(program.size() + 1);
    }
    [[nodiscard]] Want args() const {
        return arguments.empty() ? Want(kNothing) : Want(Raw{arguments});
    }
};

inline std::string own_name() {
    std::string name = read_all("/proc/self/comm");
    name.pop_back(); // the newline
    return name;
}

inline std::string own_binary() {
    char path[4096];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    return {path, static_cast<std::size_t>(size > 0 ? size : 0)};
}

inline long fd_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<long>(limit.rlim_cur);
}

inline std::uint32_t login_uid() {
    const std::string text = read_all("/proc/self/loginuid");
    return text.empty() ? ~0U : static_cast<std::uint32_t>(std::stoul(text));
}

// "cpuset=/a" and so on for five controllers: where version 1 has no hierarchy with the controller,
// the path is version 2's, and a controller that the kernel was built without is missing from the
// event.
inline TextCondition own_cgroups() {
    std::string unified;
    std::istringstream lines(read_all("/proc/self/cgroup"));
    const std::pair<const char*, const char*> names[] = {{"cpuset", ",cpuset,"},
                                                         {"cpu", ",cpu,"},
                                                         {"cpuacct", ",cpuacct,"},
                                                         {"io", ",blkio,"},
                                                         {"memory", ",memory,"}};
    std::string paths[std::size(names)];
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        std::string controllers(1, ',');
        controllers.append(line, first + 1, second - first - 1).append(1, ',');
        const std::string path = line.substr(second + 1);
        if (controllers == ",,")
            unified = path;
        for (std::size_t i = 0; i < std::size(names); ++i)
            if (controllers.find(names[i].second) != std::string::npos)
                paths[i] = path;
    }
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < std::size(names); ++i)
        entries.push_back(std::string(names[i].first) + "=" +
                          (paths[i].empty() ? unified : paths[i]) + '\0');
    return {"the control groups of /proc/self/cgroup", [entries](std::string_view got) {
                for (const std::string& entry : entries)
                    if (got.substr(0, entry.size()) == entry)
                        got.remove_prefix(entry.size());
                return got.empty() && !entries.empty();
            }};
}

} // namespace tiercel::live
