// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/poison.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/service/state_directory.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

std::string keep_poison(std::span<const std::byte> record) {
    const std::string directory = state_directory("/crash");
    for (int i = 0; i < kMostPoison && !directory.empty(); ++i) {
        std::string path = fmt::format("{}/record-{}.bin", directory, i);
        const os::UniqueFd file(
            open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!file.valid() && errno == EEXIST)
            continue;
        const ssize_t wrote = write(file.get(), record.data(), record.size());
        return wrote == static_cast<ssize_t>(record.size()) ? path : std::string();
    }
    return {};
}

} // namespace tiercel::app
