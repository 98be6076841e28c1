// SPDX-License-Identifier: Apache-2.0
#include "ptrace/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tiercel::ptrace {

os::Result<os::UniqueFd> make_shared_memory(const char* name, std::size_t bytes) {
    os::UniqueFd memory(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory.valid() || ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0 ||
        fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return os::error("make shared memory for", name);
    return memory;
}

os::Result<void> seal_against_writing(const os::UniqueFd& memory) {
    // Kernels before 5.1 do not have F_SEAL_FUTURE_WRITE. It is hardening: only the reader uses the
    // counters.
    if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0 && errno != EINVAL)
        return os::error("seal", "shared memory");
    if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SEAL) != 0)
        return os::error("seal", "shared memory");
    return {};
}

} // namespace tiercel::ptrace
