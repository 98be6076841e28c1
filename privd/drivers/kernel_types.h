// SPDX-License-Identifier: Apache-2.0
//
// The kernel's types that the probes name, as privd-types writes them.
#pragma once

#include "privd/drivers/driver.h"

struct btf; // libbpf's

namespace tiercel::privd {

class KernelTypes {
  public:
    // Opens the kernel's types, or the file, and the program privd-types. Returns a refusal of
    // every request, or a Reply whose status is ok.
    wire::Reply open(const char* file);

    // Runs privd-types, then seals and checks its output. `mask` holds privd's capabilities.
    // Returns as open(). Nothing has been loaded before.
    wire::Reply read(std::uint64_t mask);

    // The number in the kernel of the function of this name or, if there is none, of the type
    // definition; 0 if there is neither.
    [[nodiscard]] std::uint32_t number(const char* name) const;

    // How many parameters a tracepoint has, by the name of its type definition; 0 if there is none.
    [[nodiscard]] std::uint32_t parameters(const char* name) const;

    // The number in the kernel of a type of kept().
    [[nodiscard]] std::uint32_t number(int id) const;

    // All numbers, in the order of kept()'s types: at least TIERCEL_TYPES_MAX.
    [[nodiscard]] const std::uint32_t* numbers() const { return numbers_; }

    [[nodiscard]] const btf* kept() const { return kept_; }

    // A file with these types, for libbpf. It is sealed.
    [[nodiscard]] const char* path() const { return path_; }

  private:
    bool run(std::uint64_t mask);
    bool check();

    os::UniqueFd source_;                    // the kernel's types, or those of the file
    os::UniqueFd program_;                   // privd-types
    os::UniqueFd memory_;                    // what privd-types has written
    char path_[32] = {};                     // of that
    btf* kept_ = nullptr;                    // lives as long as privd
    const std::uint32_t* numbers_ = nullptr; // in a mapping that lives as long as privd
    std::size_t count_ = 0;                  // of them
};

// One object for each process, because libbpf calls back without a context.
extern KernelTypes kernel_types;

} // namespace tiercel::privd
