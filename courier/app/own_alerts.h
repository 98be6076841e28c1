// SPDX-License-Identifier: Apache-2.0
//
// OwnAlerts: alerts of the courier about itself. They take the way of all other alerts.
#pragma once

#include <string>

#include "courier/delivery/notices.h"
#include "courier/spool/record.h"

namespace tiercel::courier {

class OwnAlerts {
  public:
    // Reads the host's name and the boot's id. Call before entering the sandbox.
    OwnAlerts();
    // Returns the alert's record, whose views are valid until the next call.
    Record make(const Notice& notice);
    const wire::courier::Boot& boot() const { return boot_; }

  private:
    std::string host_;
    wire::courier::Boot boot_{};
    std::uint64_t session_ = 0;
    std::uint64_t sequence_ = 0;
    std::string rule_;
    std::string text_;
};

} // namespace tiercel::courier
