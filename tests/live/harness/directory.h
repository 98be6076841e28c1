// SPDX-License-Identifier: Apache-2.0
//
// Directory: a temporary directory that everyone may enter, gone with all it holds when it goes out
// of scope.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace tiercel::live {

class Directory {
  public:
    Directory() {
        std::string name =
            (std::filesystem::temp_directory_path() / "tiercel-live-XXXXXX").string();
        if (!mkdtemp(name.data()) || chmod(name.c_str(), 0755) < 0)
            throw std::runtime_error("cannot make a temporary directory");
        path_ = std::filesystem::canonical(name).string();
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

} // namespace tiercel::live
