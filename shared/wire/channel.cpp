// SPDX-License-Identifier: Apache-2.0
#include "shared/wire/channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>

#include "shared/os/rights.h"

namespace tiercel::wire {

os::Result<void> send_record(const os::UniqueFd& socket, const void* record, std::size_t bytes,
                             std::span<const int> fds) {
    if (fds.empty()) { // send(2), because sendmsg(2) could name an address or carry descriptors
        if (send(socket.get(), record, bytes, MSG_NOSIGNAL) < 0)
            return os::error("send to the peer");
        return {};
    }
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kFdsPerMessage)] = {};
    iovec part{const_cast<void*>(record), bytes};
    msghdr message{nullptr, 0, &part, 1, control, CMSG_LEN(fds.size_bytes()), 0};
    os::attach_fds(message, fds);
    if (sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0)
        return os::error("send to the peer");
    return {};
}

os::Result<std::size_t> receive_record(const os::UniqueFd& socket, void* record,
                                       std::size_t bytes) {
    iovec part{record, bytes};
    msghdr message{nullptr, 0, &part, 1, nullptr, 0, 0};
    ssize_t got = recvmsg(socket.get(), &message, 0);
    if (got < 0)
        return os::error("receive from the peer");
    // Without room for fds the kernel installs none and sets MSG_CTRUNC (net/core/scm.c).
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return os::error("receive the peer's record,", "which is too long", EMSGSIZE);
    if (got == 0)
        return os::error("receive the peer's record:", "the peer closed the connection",
                         ECONNRESET);
    return static_cast<std::size_t>(got);
}

namespace {

bool is_argument(unsigned number) {
    return number <= TIERCEL_NO_ARGUMENT;
}

bool is_valid(const tiercel_filter_row& row) {
    return row.flags <= TIERCEL_ROW_FLAGS && row.files <= TIERCEL_FILE_KINDS &&
           is_argument(row.value_arg) && is_argument(row.file_arg) && is_argument(row.text_arg) &&
           row.needle_bytes <= TIERCEL_FILTER_NEEDLE && row.unused[0] == 0 && row.unused[1] == 0;
}

// The last row ends its event's rows, so that no event's rows leave the table.
bool is_valid(const tiercel_filter& filter) {
    return std::ranges::all_of(filter.rows, [](const auto& row) { return is_valid(row); }) &&
           std::ranges::max(filter.first) <= TIERCEL_FILTER_ROWS &&
           std::ranges::max(filter.told) <= TIERCEL_ARGUMENTS &&
           (filter.rows[TIERCEL_FILTER_ROWS - 1].flags & TIERCEL_ROW_MORE) == 0;
}

} // namespace

Status check_values(const Request& r) {
    // The minimum is a multiple of every page size, so a power of two above it is one too.
    bool ring = std::has_single_bit(r.ring_bytes) && r.ring_bytes >= kRingBytesMin &&
                r.ring_bytes <= kRingBytesMax;
    const struct {
        bool good;
        Status status;
    } checks[] = {
        {r.driver < Driver::count, Status::bad_driver},
        {r.attach < Attach::count, Status::bad_attach},
        {ring, Status::bad_ring_bytes},
        {r.cpus_per_ring <= kCpusPerRingMax, Status::bad_cpus_per_ring},
        {r.snaplen <= kSnaplenMax, Status::bad_snaplen},
        {(r.tracepoints & ~kTracepointsAll) == 0, Status::bad_tracepoints},
        {is_valid(r.filter), Status::bad_filter},
        {r.readers >= 1 && r.readers <= kReadersMax, Status::malformed},
        {r.args_max >= kArgsMin && r.args_max <= kArgsMax, Status::bad_args_max},
    };
    for (const auto& check : checks)
        if (!check.good)
            return check.status;
    return Status::ok;
}

os::Result<void> send_fds(const os::UniqueFd& socket, Kind kind,
                          std::span<const os::UniqueFd> fds) {
    for (std::uint32_t first = 0; first < fds.size();) {
        int batch[kFdsPerMessage];
        Fds record{.kind = kind, .first = first};
        while (first < fds.size() && record.count < kFdsPerMessage)
            batch[record.count++] = fds[first++].get();
        if (auto sent = send_message(socket, record, {batch, record.count}); !sent)
            return sent;
    }
    return {};
}

Status check_header(const Header& header, std::size_t got, Type type, std::size_t want) {
    if (got < sizeof header || header.magic != kMagic)
        return Status::malformed;
    if (header.version != kVersion)
        return Status::wrong_version;
    return header.type == type && got == want ? Status::ok : Status::malformed;
}

} // namespace tiercel::wire
