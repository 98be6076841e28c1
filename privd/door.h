// SPDX-License-Identifier: Apache-2.0
//
// The door to /proc: for one process or thread of the peer's choice it opens one file of an
// enumerated list, or says where one of two links leads. It reads no file.
#pragma once

#include "privd/session.h"

namespace tiercel::privd {

// Opens the file. `failure` is 0 with a valid fd, otherwise an errno: EINVAL for a request that is
// not in the list.
os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure);

// Reads where the link leads. Returns 0, or an errno as above.
std::int32_t read_link(const wire::DoorRequest& request, wire::LinkReply& reply);

os::Result<void> answer_door(Session& session, const Record& record);

} // namespace tiercel::privd
