// SPDX-License-Identifier: Apache-2.0
//
// fdlist.*: the fds that poll and ppoll wait for, as lists joined by ','.
#include <string>

#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/state/socket.h"
#include "shared/event/params.h"

namespace tiercel::filter {
namespace {

using state::Fd;
namespace poll = event::param::SYSCALL_POLL_X;
namespace ppoll = event::param::SYSCALL_PPOLL_X;

event::Bytes list_of(const EventContext& event) {
    switch (event.event->code()) {
    case event::SYSCALL_POLL_X: return event.event->param(poll::fds);
    case event::SYSCALL_PPOLL_X: return event.event->param(ppoll::fds);
    default: return {}; // no other event has such a list
    }
}

// Calls `append(text, number, fd)` for each fd and joins the texts; empty texts are left out. `fd`
// is nullptr if the state does not know the fd.
template <auto append>
std::optional<std::string> joined(const EventContext& event) {
    const event::Bytes list = list_of(event);
    if (event.thread == nullptr || list.empty())
        return std::nullopt;
    std::string text;
    for_each_listed_fd(list, [&](std::int64_t number, std::uint16_t) {
        const std::size_t before = text.size();
        if (before > 0)
            text += ',';
        const std::size_t start = text.size();
        append(text, number, event.thread->fd(number));
        if (text.size() == start)
            text.resize(before);
    });
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

void append_number(std::string& text, std::int64_t number, const Fd*) {
    text += std::to_string(number);
}

void append_name(std::string& text, std::int64_t, const Fd* fd) {
    text += fd != nullptr && !fd->name.empty() ? fd->name.view() : std::string_view("<NA>");
}

void append_client(std::string& text, std::int64_t, const Fd* fd) {
    if (fd != nullptr && fd->is_connection())
        state::append_ip(text, fd->ends->source, fd->is_ipv6());
}

void append_server(std::string& text, std::int64_t, const Fd* fd) {
    if (fd != nullptr && fd->is_ip())
        state::append_ip(text, fd->ends->dest, fd->is_ipv6());
}

void append_client_port(std::string& text, std::int64_t, const Fd* fd) {
    if (fd != nullptr && fd->is_connection())
        text += std::to_string(fd->ends->source_port);
}

void append_server_port(std::string& text, std::int64_t, const Fd* fd) {
    if (fd != nullptr && fd->is_connection())
        text += std::to_string(fd->ends->dest_port);
}

constexpr FieldInfo kFields[] = {
    {"fdlist.nums", kText, "Numbers of the fds.", of_event<joined<append_number>>, cost(10)},
    {"fdlist.names", kText, "Names of the fds.", of_event<joined<append_name>>, cost(10)},
    {"fdlist.cips", kText, "Addresses of the clients of connections.",
     of_event<joined<append_client>>, cost(10)},
    {"fdlist.sips", kText, "Addresses of the servers of sockets.", of_event<joined<append_server>>,
     cost(10)},
    {"fdlist.cports", kText, "Ports of the clients of connections.",
     of_event<joined<append_client_port>>, cost(10)},
    {"fdlist.sports", kText, "Ports of the servers of connections.",
     of_event<joined<append_server_port>>, cost(10)},
};

} // namespace

std::span<const FieldInfo> fd_list_fields() {
    return kFields;
}

} // namespace tiercel::filter
