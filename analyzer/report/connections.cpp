// SPDX-License-Identifier: Apache-2.0
//
// Gathers the network connections of an incident.
#include "analyzer/report/summary.h"
#include "analyzer/state/socket.h"

namespace tiercel::report {

namespace {

using namespace event;

constexpr std::size_t kLines = 16;
constexpr std::uint16_t kDnsPort = 53;

std::string text_of(const state::Address& ip, std::uint16_t port, bool is_v6) {
    std::string text;
    if (is_v6) {
        text += '[';
        state::append_ip(text, ip, true);
        return text + "]:" + std::to_string(port);
    }
    state::append_endpoint(text, {ip, port}, false);
    return text;
}

// Returns the data of a read or a write; empty if the event has none.
Bytes data_of(const EventView& event) {
    const int at = event.info().find_param("data");
    return at < 0 ? Bytes() : event.param(static_cast<std::uint32_t>(at));
}

// Returns true for events that make a connection or use one. A socket without addresses is none
// yet.
bool is_use(const EventInfo& info, const state::Fd* fd) {
    if (fd == nullptr || !fd->is_connection() ||
        (fd->ends->source_port == 0 && fd->ends->dest_port == 0))
        return false;
    return info.code == SOCKET_CONNECT_X ||
           (info.flags & (CREATES_FD | READS_FROM_FD | WRITES_TO_FD)) != 0;
}

} // namespace

ConnectionRow* Summary::connection(const Event& event, std::uint32_t process, const state::Fd& fd) {
    key_.assign(reinterpret_cast<const char*>(&process), sizeof process);
    key_ += fd.name.view();
    bool is_new = false;
    const std::uint32_t index = connections_.find(key_, is_new);
    if (index == kNone)
        return nullptr;
    ConnectionRow& row = connections_[index];
    if (is_new) {
        const bool incoming = fd.is(state::Fd::server);
        const bool is_v6 = fd.is_ipv6();
        const std::string source = text_of(fd.ends->source, fd.ends->source_port, is_v6),
                          dest = text_of(fd.ends->dest, fd.ends->dest_port, is_v6);
        row.process = process;
        row.protocol = state::l4_name(fd.l4);
        row.is_incoming = incoming;
        row.local = incoming ? dest : source;
        row.peer = incoming ? source : dest;
        row.port = fd.ends->dest_port;
        row.name = kept(names_.find(incoming ? fd.ends->source : fd.ends->dest));
        step(event, incoming ? StepKind::accept : StepKind::connect, process, row.peer);
    }
    count(event, row, kLines);
    row.failed = fd.is(state::Fd::failed);
    return &row;
}

void Summary::take_connection(const Event& event, std::uint32_t process) {
    const state::Fd* fd = event.state.current().fd;
    const EventInfo& info = event.view.info();
    if (!is_use(info, fd))
        return;
    ConnectionRow* row = connection(event, process, *fd);
    const auto result = event.view.number<std::int64_t>(0);
    if (row == nullptr || !result || *result <= 0)
        return;
    if ((info.flags & WRITES_TO_FD) != 0)
        row->bytes_out += static_cast<std::uint64_t>(*result);
    if ((info.flags & READS_FROM_FD) == 0)
        return;
    row->bytes_in += static_cast<std::uint64_t>(*result);
    if (fd->ends->dest_port == kDnsPort)
        names_.learn(data_of(event.view));
}

} // namespace tiercel::report
