// SPDX-License-Identifier: Apache-2.0
//
// Implements the unpacking by libarchive. The tarball's signature has been checked before, so that
// a stranger's bytes do not come this far; the limits hold all the same, because a key may be lost.
#include "courier/pull/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>

#include "courier/pull/child.h"
#include "policy/privilege/landlock.h"
#include "policy/privilege/pull_syscalls.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

namespace {

constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostBytes = 64 << 20;
constexpr std::size_t kMostName = 200;
constexpr rlim_t kMostMemory = 512 << 20; // zstd's window may take 128 MiB
constexpr unsigned kSeconds = 60;
constexpr std::size_t kAtOnce = 64 << 10;

// Prints the fault. Returns false.
bool refuse(const std::string& what) {
    os::write_stderr("tiercel-pull: the tarball is refused: %s\n", what.c_str());
    return false;
}

bool is_plain_name(std::string_view name) {
    return name.size() <= kMostName && !name.starts_with('.') &&
           (name.ends_with(".yaml") || name.ends_with(".yml")) &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == '+';
           });
}

class Unpacker {
  public:
    Unpacker(archive* from, int directory) : from_(from), directory_(directory) {}

    bool run() {
        archive_entry* entry = nullptr;
        int code = ARCHIVE_OK;
        while ((code = archive_read_next_header(from_, &entry)) == ARCHIVE_OK)
            if (!take(entry))
                return false;
        if (code != ARCHIVE_EOF)
            return refuse(error());
        return files_ > 0 || refuse("there is no file in it");
    }

  private:
    std::string error() const {
        const char* text = archive_error_string(from_);
        return text != nullptr ? text : "it cannot be read";
    }

    bool take(archive_entry* entry) {
        const char* path = archive_entry_pathname(entry);
        std::string_view name = path != nullptr ? path : "";
        if (name.starts_with("./"))
            name.remove_prefix(2);
        if (name.empty() && archive_entry_filetype(entry) == AE_IFDIR)
            return true; // "./", which `tar -C DIRECTORY .` puts first
        const std::string shown = "'" + std::string(name.substr(0, kMostName)) + "' ";
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
            return refuse(shown + "is no plain file");
        if (!is_plain_name(name))
            return refuse(shown + "is no plain name of a .yaml or .yml file");
        if (++files_ > kMostFiles)
            return refuse("it has more than " + std::to_string(kMostFiles) + " files");
        return write_file(std::string(name), shown);
    }

    bool write_file(const std::string& name, const std::string& shown) {
        const os::UniqueFd file(openat(directory_, name.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
        if (!file.valid())
            return refuse(shown + (errno == EEXIST ? "is in it twice" : "cannot be written"));
        char bytes[kAtOnce];
        la_ssize_t got = 0;
        while ((got = archive_read_data(from_, bytes, sizeof bytes)) > 0) {
            bytes_ += static_cast<std::size_t>(got);
            if (bytes_ > kMostBytes)
                return refuse("it has more than " + std::to_string(kMostBytes >> 20) +
                              " MiB of files");
            if (write(file.get(), bytes, static_cast<std::size_t>(got)) != got)
                return refuse(shown + "cannot be written");
        }
        if (got < 0)
            return refuse(error());
        return fsync(file.get()) == 0 || refuse(shown + "cannot be written");
    }

    archive* from_;
    int directory_;
    std::size_t files_ = 0, bytes_ = 0;
};

// Leaves the directory and memory.
os::Result<void> confine(int directory) {
    const rlimit memory{kMostMemory, kMostMemory};
    if (setrlimit(RLIMIT_AS, &memory) != 0)
        return os::error("limit", "memory");
    const policy::Beneath allowed[] = {{directory, policy::kWriteFiles}};
    if (auto confined = policy::restrict_by_landlock(allowed, policy::Network::none); !confined)
        return confined.error();
    policy::report_refused_calls("tiercel-pull");
    return policy::allow_only(policy::kUnpack, policy::Refused::report);
}

int unpack_confined(std::string_view tarball, int directory) {
    const std::unique_ptr<archive, int (*)(archive*)> from(archive_read_new(), archive_read_free);
    archive_read_support_format_tar(from.get());
    archive_read_support_filter_gzip(from.get());
    archive_read_support_filter_zstd(from.get());
    if (auto confined = confine(directory); !confined) {
        os::print("tiercel-pull", confined.error(), "");
        return 1;
    }
    const int opened = archive_read_open_memory(from.get(), tarball.data(), tarball.size());
    const bool good = opened == ARCHIVE_OK ? Unpacker(from.get(), directory).run()
                                           : refuse("it is no .tar.gz and no .tar.zst");
    return good ? 0 : 1;
}

} // namespace

bool unpack(std::string_view tarball, int directory) {
    const std::string fault = run_in_child("tiercel-pull-tar", kSeconds,
                                           [&] { return unpack_confined(tarball, directory); });
    if (!fault.empty() && !fault.starts_with("exit code"))
        refuse(fault);
    return fault.empty();
}

} // namespace tiercel::courier
