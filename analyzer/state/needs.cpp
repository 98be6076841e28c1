// SPDX-License-Identifier: Apache-2.0
//
// The handlers of update_*.cpp change nothing if their call failed. The exceptions are here.
#include "analyzer/state/needs.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/socket.h>

#include "analyzer/state/state_tracker.h"

namespace tiercel::state {

namespace {

// F_DUPFD_CLOEXEC is the one of the larger ones that matters.
constexpr std::uint8_t kFcntlCommands[] = {F_DUPFD, F_SETFD, Need::kLarger};
constexpr std::uint8_t kPrctlOptions[] = {PR_SET_NAME, PR_SET_CHILD_SUBREAPER};
constexpr std::uint8_t kSocketOptions[] = {SO_ERROR};

} // namespace

Need need_of(std::uint16_t code, bool connected) {
    using namespace event;
    if (!lives_on(code))
        return {};
    Need need{.succeeded = true};
    switch (code) {
    // A failed connection is known as such.
    case SOCKET_CONNECT_X:
    // A module that is refused has a file as well.
    case SYSCALL_FINIT_MODULE_X: need.failures = Failures::all; break;
    // TCP fast open connects with the first data.
    case SOCKET_SEND_X:
    case SOCKET_SENDTO_X:
    case SOCKET_SENDMSG_X:
    case SOCKET_SENDMMSG_X: need.failures = Failures::pending; break;
    // A TCP socket has its addresses before it receives.
    case SOCKET_RECV_X:
    case SOCKET_RECVFROM_X:
    case SOCKET_RECVMSG_X:
    case SOCKET_RECVMMSG_X: need.not_on_tcp = !connected; break;
    case SYSCALL_FCNTL_X:
        need.argument = 1;
        need.values = kFcntlCommands;
        break;
    case SYSCALL_PRCTL_X: need.values = kPrctlOptions; break;
    case SOCKET_GETSOCKOPT_X:
        need.argument = 2;
        need.values = kSocketOptions;
        break;
    default: break;
    }
    return need;
}

} // namespace tiercel::state
