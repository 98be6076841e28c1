// SPDX-License-Identifier: Apache-2.0
//
// Mapping: owned memory from mmap(2), never executable. Used for rings and counters; the mapping
// outlives the fd it was made from.
#pragma once

#include <sys/mman.h>

#include <cstddef>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::os {

class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {
    }
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(address_, other.address_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping() {
        if (address_)
            munmap(address_, bytes_);
    }

    // Shared mapping of `bytes` bytes of `fd` from `offset`; protection is PROT_READ or
    // PROT_READ|PROT_WRITE. `what` names the object in the error.
    static Result<Mapping> shared(const UniqueFd& fd, std::size_t bytes, off_t offset,
                                  int protection, std::string_view what) {
        void* address = mmap(nullptr, bytes, protection, MAP_SHARED, fd.get(), offset);
        if (address == MAP_FAILED)
            return error("map", what);
        return Mapping(address, bytes);
    }

    [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(address_); }
    [[nodiscard]] std::size_t size() const { return bytes_; }

  private:
    Mapping(void* address, std::size_t bytes) : address_(address), bytes_(bytes) {}
    void* address_ = nullptr;
    std::size_t bytes_ = 0;
};

} // namespace tiercel::os
