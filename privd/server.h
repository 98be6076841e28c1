// SPDX-License-Identifier: Apache-2.0
//
// The main function of privd for one driver.
#pragma once

#include "privd/session.h"

namespace tiercel::privd {

// Serves the socket that was passed (sd_listen_fds(3)); becomes privd-exec if none was, and another
// driver's program if --driver names one. Returns the exit code.
int run(const Driver& driver, int argc, char** argv);

} // namespace tiercel::privd
