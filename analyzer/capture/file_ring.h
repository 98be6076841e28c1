// SPDX-License-Identifier: Apache-2.0
//
// FileRing: the files that captures go to, all opened before the sandbox closes. They are used one
// after the other, and then again from the first: whoever reads events needs no right to create,
// name or open anything. A file that has not been used yet is empty.
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

    // One file is `path` itself; several are numbered before the suffix: trace.0.scap.gz and so on.
    // Files that exist are overwritten, symbolic links refused; only the owner may read them, for
    // captures hold what processes read and wrote. A suffix .gz asks for packing. The path "-" is
    // standard output, as it is; "-.gz" is standard output, packed.
    static os::Result<FileRing> open(const std::string& path, std::uint64_t count);

    struct File {
        const os::UniqueFd& fd; // lent, at its beginning, empty
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
