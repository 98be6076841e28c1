// SPDX-License-Identifier: Apache-2.0
//
// Store: the directory of pulled rules. Each set is a directory that is named by the timestamp of
// its signature. `current` is a symbolic link to the set that the analyzer loads, `previous` to the
// one before, which a rollback brings back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

class Store {
  public:
    // Opens the directory, takes its lock, and removes what an interrupted pull has left.
    static os::Result<Store> open(const std::string& path);

    std::optional<std::uint64_t> current() const { return version_of("current"); }
    std::optional<std::uint64_t> previous() const { return version_of("previous"); }
    // Returns the version that no pull goes below: the newest that was in force. A rollback does
    // not lower it.
    std::uint64_t floor() const;

    // Makes an empty directory for new rules.
    os::Result<os::UniqueFd> stage();
    // Returns its path, for the analyzer that checks it.
    std::string stage_path() const { return path_ + "/stage"; }
    // Puts it in force as `version`, which must be above floor(). Readers of `current` see the old
    // rules or the new ones.
    os::Result<void> place(std::uint64_t version);
    // Exchanges `current` and `previous`, both of which must be there.
    os::Result<void> roll_back();

    const os::UniqueFd& directory() const { return directory_; }

  private:
    std::optional<std::uint64_t> version_of(const char* link) const;
    os::Result<void> link(const char* name, const std::string& target);
    // Removes every set that no link names.
    void prune();

    std::string path_;
    os::UniqueFd directory_;
};

} // namespace tiercel::courier
