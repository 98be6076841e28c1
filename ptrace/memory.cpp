// SPDX-License-Identifier: Apache-2.0
#include "ptrace/memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace {

pid_t reader_of = 0;
constexpr unsigned long long kPage = 4096; // no architecture has smaller pages

// Reads at most `size` bytes. Returns how many were read.
std::size_t read_some(void* dst, std::size_t size, unsigned long long address) {
    iovec here{dst, size};
    iovec there{reinterpret_cast<void*>(address), size}; // NOLINT: another process's address
    const ssize_t got = process_vm_readv(reader_of, &here, 1, &there, 1, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

} // namespace

void memory_of(int tid) {
    reader_of = tid;
}

int memory_read(void* dst, unsigned size, unsigned long long address) {
    if (read_some(dst, size, address) == size)
        return 0;
    std::memset(dst, 0, size);
    return -1;
}

// Reads page by page, because the text may end before memory that cannot be read.
long long memory_read_text(void* dst, unsigned size, unsigned long long address) {
    auto* out = static_cast<char*>(dst);
    std::size_t have = 0;
    while (have < size) {
        const std::size_t to_page_end = kPage - (address + have) % kPage;
        const std::size_t want = std::min<std::size_t>({size - have, to_page_end, 512});
        const std::size_t got = read_some(out + have, want, address + have);
        if (const void* end = std::memchr(out + have, 0, got))
            return static_cast<const char*>(end) - out + 1;
        if (got < want)
            return -1;
        have += got;
    }
    if (size == 0)
        return -1;
    out[size - 1] = 0;
    return size;
}

unsigned long long memory_boot_ns() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return static_cast<unsigned long long>(time.tv_sec) * 1'000'000'000 +
           static_cast<unsigned long long>(time.tv_nsec);
}
