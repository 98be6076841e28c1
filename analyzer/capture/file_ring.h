// SPDX-License-Identifier: Apache-2.0
//
// FileRing holds the files for captures, which are all opened before the sandbox is entered. They
// are used in turn, so the process that reads events needs no right to create or open files. A file
// that has not been used yet is empty.
//
// In a directory each file gets a name when it is used. The files of earlier runs are used again
// too, the oldest first, so the directory never holds more captures than were asked for. A file
// that was moved away is left alone and not replaced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
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

    // Opens `count` files in the directory, which must exist: those with a name of next(), and
    // empty ones called spare-0.scap and so on.
    static os::Result<FileRing> open_directory(const std::string& directory, std::uint64_t count);

    struct File {
        const os::UniqueFd& fd; // empty; the ring keeps ownership
        const std::string& name;
    };
    // In a directory, gives the file the name `name`.scap. Names sort by age (alerts::id_of()).
    os::Result<File> next(std::string_view name);
    // Returns the directory's fd, which the ring keeps; -1: the files keep their names.
    int directory() const { return directory_.get(); }
    Packing packing() const { return packing_; }
    std::size_t size() const { return fds_.size(); }

  private:
    FileRing() = default;
    os::Result<void> add(const std::string& name);
    bool rename(std::size_t index, std::string_view name);
    std::vector<os::UniqueFd> fds_;
    std::vector<std::string> names_; // in a directory: whole paths too
    os::UniqueFd directory_;
    std::string path_;     // of the directory, with '/' at its end
    std::size_t used_ = 0; // how often next() was called
    Packing packing_ = Packing::plain;
};

} // namespace tiercel::capture
