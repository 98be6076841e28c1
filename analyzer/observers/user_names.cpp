// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/user_names.h"

#include <sys/stat.h>

#include <array>

#include "shared/os/file.h"

namespace tiercel::app {

namespace {

constexpr std::size_t kMostBytes = 1 << 20; // of each file
constexpr std::array<const char*, 2> kFiles = {"/etc/passwd", "/etc/group"};

// What changes with the file: tools that edit it replace it by another one.
struct Version {
    ino_t inode = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Version&) const = default;
};

Version version_of(const char* path) {
    struct stat status {};
    if (stat(path, &status) != 0)
        return {};
    return {status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

// Returns both files, the number of the first one's bytes in front, if one of them has changed.
std::string look(std::array<Version, 2>& known) {
    const std::array<Version, 2> now = {version_of(kFiles[0]), version_of(kFiles[1])};
    if (std::exchange(known, now) == now)
        return {};
    std::string message, text(kMostBytes, '\0');
    for (const char* path : kFiles) {
        auto read = os::read_file("", path, text);
        const std::string_view content = read ? *read : std::string_view();
        if (path == kFiles[0])
            message = std::to_string(content.size()) + ':';
        message += content;
    }
    return message;
}

void load(std::string_view message, state::Users& users) {
    const std::size_t colon = message.find(':');
    const auto bytes = os::parse_unsigned(message.substr(0, colon));
    if (colon == std::string_view::npos || !bytes)
        return;
    message.remove_prefix(colon + 1);
    users.load_passwd(message.substr(0, *bytes));
    if (*bytes < message.size())
        users.load_group(message.substr(*bytes));
}

} // namespace

os::Result<std::unique_ptr<UserNames>> UserNames::make() {
    const std::array<Version, 2> now = {version_of(kFiles[0]), version_of(kFiles[1])};
    auto helper = HelperProcess::start({.name = "tiercel-names",
                                        .answer = [](std::string_view) { return std::string(); },
                                        .look = [known = now]() mutable { return look(known); }});
    if (!helper)
        return helper.error();
    return std::unique_ptr<UserNames>(new UserNames(*std::move(helper)));
}

os::Result<void> UserNames::attach(Session session) {
    session.loop.watch(helper_.socket(), [this, &pipeline = session.pipeline] {
        return helper_.read(
            [&pipeline](const std::string& message) { load(message, pipeline.state().users()); });
    });
    return {};
}

} // namespace tiercel::app
