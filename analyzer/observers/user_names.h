// SPDX-License-Identifier: Apache-2.0
//
// UserNames: keeps the names of users and groups right while the analyzer runs. A helper process
// (service/helper_process.h) reads /etc/passwd and /etc/group again when they have changed.
#pragma once

#include <memory>

#include "analyzer/observers/observer.h"
#include "analyzer/service/helper_process.h"

namespace tiercel::app {

class UserNames : public Observer {
  public:
    // Starts the helper process, so call it before the sandbox and before any thread.
    static os::Result<std::unique_ptr<UserNames>> make();

    os::Result<void> attach(Session session) override;

  private:
    explicit UserNames(HelperProcess helper) : helper_(std::move(helper)) {}

    HelperProcess helper_;
};

} // namespace tiercel::app
