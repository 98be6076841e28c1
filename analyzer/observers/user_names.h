// SPDX-License-Identifier: Apache-2.0
//
// UserNames: keeps the names of users and groups right while the analyzer runs. A helper process
// (service/helper_process.h) reads /etc/passwd and /etc/group again when they have changed, and
// asks the name service (LDAP, sssd, systemd) for ids that these files do not have.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "analyzer/observers/observer.h"
#include "analyzer/service/helper_process.h"

namespace tiercel::app {

class UserNames : public Observer {
  public:
    // Starts the helper process, so call it before the sandbox and before any thread.
    static os::Result<std::unique_ptr<UserNames>> make();

    os::Result<void> attach(Session session) override;
    // Asks for the names that were looked up in vain, each at most once in kAskAgainNs.
    void tick(const Tick& tick) override;

    static constexpr std::uint64_t kAskAgainNs = 5'000'000'000;

  private:
    explicit UserNames(HelperProcess helper) : helper_(std::move(helper)) {}

    HelperProcess helper_;
    state::Users* users_ = nullptr;
    std::unordered_map<std::uint64_t, std::uint64_t> asked_ns_; // by id and kind
};

} // namespace tiercel::app
