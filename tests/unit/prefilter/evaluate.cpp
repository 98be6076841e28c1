// SPDX-License-Identifier: Apache-2.0
//
// Implements the kernel filter on decoded events. It finds the call's arguments in the parameters
// of the events that have rows with such tests, and lets a call pass whose argument it cannot find.
#include "tests/unit/prefilter/evaluate.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "analyzer/prefilter/calls.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/params.h"

namespace tiercel::prefilter {

namespace {

using event::EventView;

std::optional<std::int64_t> result_of(const EventView& event, const Call& call) {
    if (call.result_is_first)
        return event.number<std::int64_t>(0);
    return 0; // the others cannot fail, or tell their results in unsigned numbers
}

// The access mode of an open: kernel/common/convert.h, convert_open_flags() the other way.
std::optional<std::uint32_t> open_mode(const EventView& event, const Call& call) {
    const auto flags = event.number<std::uint32_t>(call.flags);
    if (!flags)
        return std::nullopt;
    constexpr std::uint32_t kModes[] = {3, 0, 1, 2};
    return kModes[*flags & 3];
}

std::optional<std::uint32_t> argument_of(const EventView& event, const Call& call,
                                         std::uint8_t number) {
    namespace prctl = event::param::SYSCALL_PRCTL_X;
    namespace getsockopt = event::param::SOCKET_GETSOCKOPT_X;
    if (number == call.flags_argument)
        return open_mode(event, call);
    if (event.code() == event::SYSCALL_FCNTL_X && number == 1) {
        namespace commands = event::flags::fcntl_commands;
        const auto command = event.number<std::uint8_t>(event::param::SYSCALL_FCNTL_X::cmd);
        return command == commands::kF_DUPFD           ? F_DUPFD
               : command == commands::kF_DUPFD_CLOEXEC ? F_DUPFD_CLOEXEC
               : command == commands::kF_SETFD         ? F_SETFD
                                                       : F_GETFD;
    }
    if (event.code() == event::SYSCALL_PRCTL_X && number == 0) {
        const auto option = event.number<std::uint32_t>(prctl::option);
        return option == event::flags::prctl_options::kPR_SET_NAME ? PR_SET_NAME
               : option == event::flags::prctl_options::kPR_SET_CHILD_SUBREAPER
                   ? PR_SET_CHILD_SUBREAPER
                   : 0;
    }
    if (event.code() == event::SYSCALL_CLOSE_RANGE_X && number == 2)
        return event.number<std::uint32_t>(event::param::SYSCALL_CLOSE_RANGE_X::flags);
    if (event.code() == event::SOCKET_GETSOCKOPT_X && number == 2)
        return event.number<std::uint8_t>(getsockopt::optname) ==
                       event::flags::sockopt_options::kSO_ERROR
                   ? SO_ERROR
                   : 0;
    return std::nullopt;
}

bool result_passes(const tiercel_filter_row& row, std::int64_t result) {
    if (result >= 0)
        return (row.flags & TIERCEL_ROW_SUCCEEDED) != 0;
    const std::uint64_t error = result <= -127 ? 127 : static_cast<std::uint64_t>(-result);
    return (row.errors[error / 64] >> error % 64 & 1) != 0;
}

bool value_passes(const tiercel_filter_row& row, const EventView& event, const Call& call) {
    if (row.value_arg >= TIERCEL_NO_ARGUMENT)
        return true;
    const auto argument = argument_of(event, call, row.value_arg);
    if (!argument)
        return true;
    const std::uint32_t value = *argument & row.mask;
    return (row.values >> (value > 63 ? 63 : value) & 1) != 0;
}

// The state knows a directory only if it was opened as one.
std::uint8_t file_kind(const EventView& event, std::int64_t number,
                       const state::StateTracker& state) {
    const state::Thread* thread = state.find(event.tid());
    const state::Fd* fd = thread != nullptr ? thread->fd(number) : nullptr;
    if (fd == nullptr)
        return TIERCEL_FILE_OTHER;
    if (fd->kind == state::FdKind::directory)
        return TIERCEL_FILE_DIRECTORY;
    if (fd->is_ip())
        return fd->l4 == state::L4::tcp ? TIERCEL_FILE_TCP : TIERCEL_FILE_SOCKET;
    return fd->kind == state::FdKind::unix_socket || fd->kind == state::FdKind::netlink
               ? TIERCEL_FILE_SOCKET
               : TIERCEL_FILE_OTHER;
}

bool file_passes(const tiercel_filter_row& row, const EventView& event, std::int64_t result,
                 const state::StateTracker& state) {
    if (row.file_arg >= TIERCEL_NO_ARGUMENT)
        return true;
    const int index = event.info().find_param(
        event.code() == event::SYSCALL_DUP2_X || event.code() == event::SYSCALL_DUP3_X ? "oldfd"
                                                                                       : "fd");
    const auto number = row.file_arg == TIERCEL_RETURNED ? std::optional(result)
                        : index < 0                      ? std::nullopt
                                    : event.number<std::int64_t>(static_cast<std::uint32_t>(index));
    return !number || (row.files & file_kind(event, *number, state)) != 0;
}

bool text_passes(const tiercel_filter_row& row, const EventView& event) {
    if (row.text_arg >= TIERCEL_NO_ARGUMENT || row.needle_bytes == 0)
        return true;
    const int index = event.info().find_param("name");
    const std::string_view text = event.text(static_cast<std::uint32_t>(index));
    const std::string needle(row.needle, row.needle + row.needle_bytes);
    return index < 0 || text.empty() || text.find(needle) != std::string_view::npos;
}

} // namespace

bool passes(const tiercel_filter& filter, const EventView& event, std::uint16_t cpu,
            const state::StateTracker& state) {
    const Call* call = find_call(event.code());
    if (call == nullptr || filter.first[event.code()] == 0 || (cpu & event::kCpuUring) != 0)
        return true;
    const auto result = result_of(event, *call);
    if (!result)
        return true;
    for (std::size_t i = filter.first[event.code()] - 1U; i < TIERCEL_FILTER_ROWS; ++i) {
        const tiercel_filter_row& row = filter.rows[i];
        if (file_passes(row, event, *result, state) && result_passes(row, *result) &&
            value_passes(row, event, *call) && text_passes(row, event))
            return true;
        if ((row.flags & TIERCEL_ROW_MORE) == 0)
            return false;
    }
    return true;
}

} // namespace tiercel::prefilter
