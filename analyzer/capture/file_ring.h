// SPDX-License-Identifier: Apache-2.0
//
// FileRing holds the files for captures, which are all opened before the sandbox is entered. They
// are used in turn, so the process that reads events needs no right to create or open files. A file
// that has not been used yet is empty.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/capture/packer.h"
#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::capture {

class FileRing {
  public:
    static constexpr std::uint64_t kMostFiles = 500; // an fd each

    // Opens `path`, or `count` files numbered before the suffix (trace.0.scap.gz and so on).
    // Overwrites existing files and refuses symbolic links. Only the owner may read the files,
    // because captures hold what processes read and wrote. The suffix .gz means gzip. "-" means
    // standard output, and "-.gz" standard output with gzip.
    static os::Result<FileRing> open(const std::string& path, std::uint64_t count);

    struct File {
        const os::UniqueFd& fd; // empty; the ring keeps ownership
        const std::string& name;
    };
    os::Result<File> next();
    Packing packing() const { return packing_; }
    std::size_t size() const { return fds_.size(); }

  private:
    FileRing() = default;
    std::vector<os::UniqueFd> fds_;
    std::vector<std::string> names_;
    std::size_t used_ = 0; // how often next() was called
    Packing packing_ = Packing::plain;
};

} // namespace tiercel::capture
