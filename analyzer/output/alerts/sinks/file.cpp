// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "analyzer/output/alerts/sinks/fd_sink.h"
#include "policy/privilege/seccomp.h"

namespace tiercel::alerts {

namespace {

constexpr int kFlags = policy::kReopenFlags;
constexpr mode_t kMode = policy::kReopenMode;

// Returns the file's last bytes, among which a line that was cut short would be.
std::string read_tail(const os::UniqueFd& directory, const std::string& file) {
    const os::UniqueFd fd(
        openat(directory.get(), file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    std::string text(16 << 10, '\0');
    const off_t size = fd.valid() ? lseek(fd.get(), 0, SEEK_END) : 0;
    const auto from = std::max<off_t>(size - static_cast<off_t>(text.size()), 0);
    const ssize_t got = size > 0 ? pread(fd.get(), text.data(), text.size(), from) : 0;
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

class FileSink : public FdSink {
  public:
    FileSink(const std::string& path, os::UniqueFd directory, std::string file, os::UniqueFd fd)
        : FdSink("file " + path, std::move(fd)), directory_(std::move(directory)),
          file_(std::move(file)), tail_(read_tail(directory_, file_)) {}
    std::size_t bytes_at_the_end(std::string_view line) const override {
        if (tail_.ends_with(std::string(line) + '\n'))
            return line.size() + 1;
        const std::string_view cut = std::string_view(tail_).substr(tail_.rfind('\n') + 1);
        return line.starts_with(cut) ? cut.size() : 0;
    }
    bool reopen() override {
        os::UniqueFd fresh(openat(directory_.get(), file_.c_str(), kFlags, kMode));
        if (!fresh.valid())
            return false;
        fd_ = std::move(fresh);
        return true;
    }
    int directory() const override { return directory_.get(); }

  private:
    os::UniqueFd directory_;
    std::string file_;
    std::string tail_; // of the file as it was found
};

} // namespace

// Appends to the file, and makes it if necessary. The directory must exist.
os::Result<std::unique_ptr<Sink>> open_file(const config::Settings& settings) {
    const std::string& path = settings.output(config::Output::file).target;
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
    os::UniqueFd dirfd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!dirfd.valid())
        return os::error("open the directory of the alert file", path);
    os::UniqueFd fd(openat(dirfd.get(), file.c_str(), kFlags, kMode));
    if (!fd.valid())
        return os::error("open the alert file", path);
    return std::unique_ptr<Sink>(
        std::make_unique<FileSink>(path, std::move(dirfd), std::move(file), std::move(fd)));
}

} // namespace tiercel::alerts
