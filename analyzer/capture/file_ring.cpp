// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/file_ring.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace tiercel::capture {
namespace {

// Makes "trace.7.scap.gz" from "trace.scap.gz". All numbers have the same width, so that names
// sort.
std::string numbered(const std::string& path, std::uint64_t number, std::uint64_t count) {
    std::string digits = std::to_string(number);
    digits.insert(0, std::to_string(count - 1).size() - digits.size(), '0');
    std::string_view stem = path;
    for (const std::string_view suffix : {".gz", ".scap"})
        if (stem.ends_with(suffix))
            stem.remove_suffix(suffix.size());
    return std::string(stem) + '.' + digits + path.substr(stem.size());
}

} // namespace

os::Result<FileRing> FileRing::open(const std::string& path, std::uint64_t count) {
    FileRing ring;
    ring.packing_ = path.ends_with(".gz") ? Packing::gzip : Packing::plain;
    if (path == "-" || path == "-.gz") {
        os::UniqueFd fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!fd.valid() || count != 1)
            return os::error("record several files to", "standard output", EINVAL);
        ring.fds_.push_back(std::move(fd));
        ring.names_.push_back("standard output");
        return ring;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        std::string name = count == 1 ? path : numbered(path, i, count);
        os::UniqueFd fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                               S_IRUSR | S_IWUSR));
        if (!fd.valid())
            return os::error("open for writing", name);
        ring.fds_.push_back(std::move(fd));
        ring.names_.push_back(std::move(name));
    }
    return ring;
}

os::Result<FileRing::File> FileRing::next() {
    const std::size_t index = used_++ % fds_.size();
    const os::UniqueFd& fd = fds_[index];
    // A file is empty when it is first used. A pipe is used once, and could not be truncated.
    if (used_ > fds_.size() && (ftruncate(fd.get(), 0) != 0 || lseek(fd.get(), 0, SEEK_SET) != 0))
        return os::error("empty", names_[index]);
    return File{fd, names_[index]};
}

} // namespace tiercel::capture
