// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/file_ring.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <memory>
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

constexpr std::string_view kSuffix = ".scap";

// Returns true for the names of next() in a directory, which are digits and '-', and for spare
// files.
bool is_ours(std::string_view name) {
    if (!name.ends_with(kSuffix))
        return false;
    name.remove_suffix(kSuffix.size());
    if (name.starts_with("spare-"))
        name.remove_prefix(6);
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isxdigit(c) != 0 || c == '-';
    });
}

// The names of our files in the directory, the oldest first.
os::Result<std::vector<std::string>> list(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(directory.c_str()), closedir);
    if (!open)
        return os::error("open the directory of captures", directory);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open.get()))
        if (is_ours(entry->d_name))
            names.emplace_back(entry->d_name);
    // Spare files first: they hold nothing.
    std::ranges::sort(names, [](const std::string& left, const std::string& right) {
        const bool a = left.starts_with("spare-"), b = right.starts_with("spare-");
        return a != b ? a : left < right;
    });
    return names;
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

os::Result<void> FileRing::add(const std::string& name) {
    os::UniqueFd fd(openat(directory_.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!fd.valid())
        return os::error("open for writing", path_ + name);
    fds_.push_back(std::move(fd));
    names_.push_back(path_ + name);
    return {};
}

os::Result<FileRing> FileRing::open_directory(const std::string& directory, std::uint64_t count) {
    FileRing ring;
    ring.path_ = directory.ends_with('/') ? directory : directory + '/';
    ring.directory_ = os::UniqueFd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    auto names = list(directory);
    if (!names)
        return names.error();
    for (std::uint64_t i = 0; names->size() < count; ++i) {
        std::string spare = "spare-" + std::to_string(i) + std::string(kSuffix);
        if (std::ranges::find(*names, spare) == names->end())
            names->insert(names->begin(), std::move(spare));
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(names->size(), kMostFiles); ++i)
        if (auto added = ring.add((*names)[i]); !added)
            return added.error();
    return ring;
}

// Returns false if the file is no longer where it was, or if another file has the name: the caller
// looks for that one.
bool FileRing::rename(std::size_t index, std::string_view name) {
    const std::string fresh = std::string(name) + std::string(kSuffix);
    const auto same = std::ranges::find(names_, path_ + fresh);
    if (same != names_.end() && same != names_.begin() + static_cast<std::ptrdiff_t>(index))
        return false;
    if (renameat(directory_.get(), names_[index].c_str() + path_.size(), directory_.get(),
                 fresh.c_str()) != 0)
        return false;
    names_[index] = path_ + fresh;
    return true;
}

os::Result<FileRing::File> FileRing::next(std::string_view name) {
    const bool is_named = directory_.valid();
    std::size_t index = used_++ % fds_.size();
    // A file that was moved away is its new owner's.
    for (std::size_t tries = 0; is_named && !rename(index, name); index = used_++ % fds_.size())
        if (++tries == fds_.size())
            return os::error("find a file that was not moved away in", path_, ENOENT);
    const os::UniqueFd& fd = fds_[index];
    // A file is empty when it is first used. A pipe is used once, and could not be truncated.
    if ((is_named || used_ > fds_.size()) &&
        (ftruncate(fd.get(), 0) != 0 || lseek(fd.get(), 0, SEEK_SET) != 0))
        return os::error("empty", names_[index]);
    return File{fd, names_[index]};
}

} // namespace tiercel::capture
