// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "analyzer/output/alerts/sinks/fd_sink.h"
#include "policy/privilege/seccomp.h"

namespace tiercel::alerts {

namespace {

constexpr int kFlags = policy::kReopenFlags;
constexpr mode_t kMode = policy::kReopenMode;

class FileSink : public FdSink {
  public:
    FileSink(const std::string& path, os::UniqueFd directory, std::string file, os::UniqueFd fd)
        : FdSink("file " + path, std::move(fd)), directory_(std::move(directory)),
          file_(std::move(file)) {}
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
