// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/capability_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "analyzer/service/state_directory.h"
#include "shared/os/file.h"
#include "shared/os/unique_fd.h"
#include "shared/wire/capabilities.h"
#include "shared/wire/client.h"

namespace tiercel::app {

void log_capabilities(const wire::Reply& reply) {
    const std::string directory = state_directory("/tiercel");
    std::array<char, 64> boot{};
    auto id = os::read_file("", "/proc/sys/kernel/random/boot_id", boot);
    if (directory.empty() || !id)
        return;
    std::string line = fmt::format("{} {}", *id, wire::option_of(reply.driver));
    for (const wire::CapabilityRow& row : wire::kCapabilityTable)
        if (const std::uint64_t ns = wire::client::held_ns(reply.held, row.number); ns > 0)
            line += fmt::format(" {}={:.6f}", row.name, static_cast<double>(ns) / 1e9);
    line += '\n';
    const os::UniqueFd file(open((directory + "/capabilities").c_str(),
                                 O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    const bool wrote = write(file.get(), line.data(), line.size()) == ssize_t(line.size());
    if (!wrote)
        os::print("analyzer", os::error("write", directory + "/capabilities"),
                  "tiercel caps --since-boot will lack this load");
}

} // namespace tiercel::app
