// SPDX-License-Identifier: Apache-2.0
//
// DnsNames learns from the answers of DNS servers (RFC 1035) which name an address was asked by.
// An event holds the first bytes of an answer only, so names are learned as far as those go.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "analyzer/state/fd.h"
#include "shared/event/view.h"

namespace tiercel::report {

class DnsNames {
  public:
    static constexpr std::size_t kMost = 4096; // addresses; further ones are not learned

    // Reads a DNS message. Ignores what is none.
    void learn(event::Bytes message);
    // Returns an empty text if the address is not known. The view is valid until the next learn().
    std::string_view find(const state::Address& address) const;

  private:
    std::map<state::Address, std::string> names_;
};

} // namespace tiercel::report
