// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/bearer_token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "shared/os/unique_fd.h"

namespace tiercel::app {

namespace {

constexpr std::size_t kRandomBytes = 32, kLeastLength = 16, kMostLength = 4096;

os::Error wrong(const char* what, const std::string& path, int number = errno) {
    return os::error(what, path, number);
}

os::Result<void> make_file(const std::string& path) {
    const os::UniqueFd file(
        open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid())
        return wrong("make the token of the metrics in", path);
    std::array<unsigned char, kRandomBytes> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return wrong("make a random token for", path);
    const std::string text = fmt::format("{:02x}\n", fmt::join(bytes, ""));
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return wrong("write the token of the metrics to", path);
    return {};
}

} // namespace

os::Result<std::string> read_or_make_token(const std::string& path) {
    if (access(path.c_str(), F_OK) != 0 && errno == ENOENT)
        if (auto made = make_file(path); !made)
            return made.error();
    const os::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    std::array<char, kMostLength> text{};
    const ssize_t got = file.valid() ? read(file.get(), text.data(), text.size()) : -1;
    if (got < 0 || fstat(file.get(), &status) != 0)
        return wrong("read the token of the metrics from", path);
    if ((status.st_mode & S_IRWXO) != 0)
        return wrong("keep the token of the metrics secret: other users may read", path, 0);
    std::string_view token(text.data(), static_cast<std::size_t>(got));
    token = token.substr(0, token.find_first_of("\r\n"));
    if (token.size() < kLeastLength)
        return wrong("take a token of less than 16 characters from", path, 0);
    return std::string(token);
}

bool is_token(std::string_view given, std::string_view token) {
    if (token.empty() || given.size() != token.size())
        return false;
    unsigned char different = 0;
    for (std::size_t i = 0; i < token.size(); ++i)
        different |= static_cast<unsigned char>(given[i] ^ token[i]);
    return different == 0;
}

} // namespace tiercel::app
