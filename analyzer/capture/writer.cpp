// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/writer.h"

#include <algorithm>

#include "analyzer/capture/generic.h"
#include "analyzer/capture/own_params.h"

namespace tiercel::capture {
namespace {

// libscap's reader has room for an event's block of this size, without its header. Larger events
// have a block type of their own.
constexpr std::size_t kMaxPlainEvent = 65536 - sizeof(std::uint16_t) - sizeof(std::uint32_t) - 3;

// The generic event that stands for one beyond the schema: the code of the syscall and its native
// number.
std::vector<std::byte> generic_event(const event::EventView& event) {
    const auto calls = event::syscalls();
    const auto call = std::ranges::find(calls, event.code(), &event::SyscallInfo::event);
    const bool known = call != calls.end();
    const std::uint16_t lengths[] = {sizeof(std::uint16_t), sizeof(std::uint16_t)};
    const std::uint16_t numbers[] = {
        known ? call->scap : std::uint16_t{0},
        static_cast<std::uint16_t>(known ? std::max(event::native_number(*call), 0) : 0)};
    const event::Header header{.ts = event.ts(),
                               .tid = event.raw_tid(),
                               .len = sizeof header + sizeof lengths + sizeof numbers,
                               .type = event::GENERIC_X,
                               .nparams = 2};
    std::vector<std::byte> bytes(header.len);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, lengths, sizeof lengths);
    std::memcpy(bytes.data() + sizeof header + sizeof lengths, numbers, sizeof numbers);
    return bytes;
}

} // namespace

void append_head(std::vector<std::byte>& bytes, const MachineInfo& machine,
                 const state::StateTracker& state) {
    BlockWriter out(bytes);
    write_section_header(out);
    write_machine_info(out, machine);
    write_interface_list(out, machine.interfaces);
    write_user_list(out, state.users());
    write_process_list(out, state);
    write_fd_lists(out, state);
}

void append_event(std::vector<std::byte>& bytes, const event::EventView& event, std::uint16_t cpu) {
    if (event.code() >= event::kFirstOwnCode) {
        const std::vector<std::byte> generic = generic_event(event);
        if (const auto view = event::EventView::parse(generic))
            append_event(bytes, *view, cpu);
        return;
    }
    const bool large = (event.info().flags & event::LARGE_PAYLOAD) != 0 ||
                       event.size() + kSplitHead > kMaxPlainEvent;
    const bool is_uring = (cpu & event::kCpuUring) != 0;
    BlockWriter out(bytes);
    if (is_uring)
        out.begin(large ? EVENTS_FLAGS_V2_LARGE : EVENTS_FLAGS_V2);
    else
        out.begin(large ? EVENTS_V2_LARGE : EVENTS_V2);
    out.number(static_cast<std::uint16_t>(cpu & ~event::kCpuUring));
    if (is_uring)
        out.number(kFlagUring);
    const std::size_t at = bytes.size();
    append_split(bytes, event);
    if (event.code() == event::GENERIC_X)
        hide_new_id({bytes.data() + at, event.size()});
    out.end();
}

os::Result<void> Writer::begin(const MachineInfo& machine, const state::StateTracker& state) {
    block_.clear();
    append_head(block_, machine, state);
    return packer_.write(block_);
}

os::Result<void> Writer::add(const event::EventView& event, std::uint16_t cpu) {
    block_.clear();
    append_event(block_, event, cpu);
    return packer_.write(block_);
}

} // namespace tiercel::capture
