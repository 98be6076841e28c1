// SPDX-License-Identifier: Apache-2.0
#include "courier/pull/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

#include "shared/os/file.h"

namespace tiercel::courier {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

std::vector<std::string> names_in(int directory) {
    std::vector<std::string> names;
    const int fd = openat(directory, ".", kDirectory);
    const std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(fd), closedir);
    while (const dirent* entry = open ? readdir(open.get()) : nullptr)
        if (const std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    return names;
}

// Removes a directory of files.
void remove_set(int directory, const std::string& name) {
    const os::UniqueFd set(openat(directory, name.c_str(), kDirectory));
    if (!set.valid())
        return;
    for (const std::string& file : names_in(set.get()))
        unlinkat(set.get(), file.c_str(), 0);
    unlinkat(directory, name.c_str(), AT_REMOVEDIR);
}

} // namespace

os::Result<Store> Store::open(const std::string& path) {
    Store store;
    store.path_ = path;
    store.directory_ = os::UniqueFd(::open(path.c_str(), kDirectory & ~O_NOFOLLOW));
    if (!store.directory_.valid())
        return os::error("open the directory of pulled rules", path);
    if (flock(store.directory_.get(), LOCK_EX | LOCK_NB) != 0)
        return os::error("use the directory of pulled rules, which another pull uses", path);
    store.prune();
    return store;
}

std::optional<std::uint64_t> Store::version_of(const char* link) const {
    char target[32];
    const ssize_t length = readlinkat(directory_.get(), link, target, sizeof target);
    if (length <= 0)
        return std::nullopt;
    return os::parse_unsigned({target, static_cast<std::size_t>(length)});
}

std::uint64_t Store::floor() const {
    return std::max(current().value_or(0), previous().value_or(0));
}

os::Result<os::UniqueFd> Store::stage() {
    remove_set(directory_.get(), "stage");
    if (mkdirat(directory_.get(), "stage", 0755) != 0)
        return os::error("make a directory in", path_);
    os::UniqueFd made(openat(directory_.get(), "stage", kDirectory));
    if (!made.valid())
        return os::error("open the directory", stage_path());
    return made;
}

os::Result<void> Store::link(const char* name, const std::string& target) {
    unlinkat(directory_.get(), "link", 0);
    if (symlinkat(target.c_str(), directory_.get(), "link") != 0 ||
        renameat(directory_.get(), "link", directory_.get(), name) != 0)
        return os::error("make the link", path_ + '/' + name);
    return {};
}

os::Result<void> Store::place(std::uint64_t version) {
    const std::string name = std::to_string(version);
    const os::UniqueFd staged(openat(directory_.get(), "stage", kDirectory));
    if (fsync(staged.get()) != 0 ||
        renameat(directory_.get(), "stage", directory_.get(), name.c_str()) != 0)
        return os::error("place the rules in", path_);
    if (const auto before = current())
        if (auto kept = link("previous", std::to_string(*before)); !kept)
            return kept;
    if (auto linked = link("current", name); !linked)
        return linked;
    prune();
    if (fsync(directory_.get()) != 0)
        return os::error("synchronise", path_);
    return {};
}

os::Result<void> Store::roll_back() {
    if (renameat2(directory_.get(), "current", directory_.get(), "previous", RENAME_EXCHANGE) !=
            0 ||
        fsync(directory_.get()) != 0)
        return os::error("exchange the links in", path_);
    return {};
}

void Store::prune() {
    for (const std::string& name : names_in(directory_.get())) {
        const auto version = os::parse_unsigned(name);
        if (name == "stage" || (version && version != current() && version != previous()))
            remove_set(directory_.get(), name);
    }
}

} // namespace tiercel::courier
