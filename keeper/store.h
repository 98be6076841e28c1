// SPDX-License-Identifier: Apache-2.0
//
// Store: the descriptors that an analyzer gives to be kept, each by a name, and that its successor
// gets. The room is fixed, so that no peer can make the keeper allocate.
//
// The messages are those of sd_notify(3), on a SOCK_SEQPACKET socket. When an analyzer connects, it
// gets one record "FDNAME=name" for each descriptor, which rides on the record, and then a record
// "READY=1". From then on it sends "FDSTORE=1" with a name and descriptors, or "FDSTOREREMOVE=1"
// with a name. Other messages are ignored.
#pragma once

#include <cstddef>
#include <string_view>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::keeper {

constexpr std::size_t kMost = 2048;      // descriptors, as FileDescriptorStoreMax= of the service
constexpr std::size_t kLongestName = 31; // bytes
constexpr std::size_t kMostAtOnce = 200; // descriptors of one message; below SCM_MAX_FD (253)

class Store {
  public:
    // Returns false if the name is empty or too long, or if there is no room.
    bool add(std::string_view name, os::UniqueFd fd);
    // Closes all descriptors of that name.
    void remove(std::string_view name);
    bool empty() const { return used_ == 0; }

    // Sends all descriptors and the last record to the peer. The store keeps its own.
    os::Result<void> give(const os::UniqueFd& peer) const;
    // Does what a message of the peer asks for. Closes descriptors that it cannot keep.
    void take(std::string_view message, os::UniqueFd* fds, std::size_t count);

  private:
    struct Kept {
        char name[kLongestName + 1] = {};
        os::UniqueFd fd;
    };
    Kept kept_[kMost];
    std::size_t used_ = 0;
};

// Gives the peer what is kept, and serves it until it closes the connection. Blocks.
os::Result<void> serve(Store& store, const os::UniqueFd& peer);

} // namespace tiercel::keeper
