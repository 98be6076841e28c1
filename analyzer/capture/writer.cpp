// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/writer.h"

namespace tiercel::capture {
namespace {

// What libscap's reader has room for: an event's block without its header. Larger ones have a type
// of their own.
constexpr std::size_t kMaxPlainEvent = 65536 - sizeof(std::uint16_t) - sizeof(std::uint32_t) - 3;

// The syscall codes that libscap of 2022 has names for. Its sysdig takes the name of a higher one
// from behind the table's end, and crashes.
constexpr std::uint16_t kOldSyscalls = 329;

// In the bytes of a generic event: a syscall's code that older readers do not know becomes 0,
// "unknown" to all of them. The native number beside it tells ours which call it was; a 32-bit
// program's own number would not.
void hide_new_syscall(const event::EventView& event, std::byte* bytes) {
    const auto code = event.number<std::uint16_t>(0);
    if (!code || *code < kOldSyscalls || !event.number<std::uint16_t>(1))
        return;
    const auto put = [&](std::uint32_t param, std::uint16_t value) {
        std::memcpy(bytes + (event.param(param).data() - event.bytes().data()), &value,
                    sizeof value);
    };
    put(0, 0);
    const auto* call = event::find_syscall_by_scap(*code);
    if (const int native = call != nullptr ? event::native_number(*call) : -1; native >= 0)
        put(1, static_cast<std::uint16_t>(native));
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
    const bool large =
        (event.info().flags & event::LARGE_PAYLOAD) != 0 || event.size() > kMaxPlainEvent;
    BlockWriter out(bytes);
    out.begin(large ? EVENTS_V2_LARGE : EVENTS_V2);
    out.number(cpu);
    const event::Bytes raw = event.bytes();
    const std::size_t at = bytes.size();
    out.bytes({reinterpret_cast<const char*>(raw.data()), raw.size()});
    if (event.code() == event::GENERIC_X)
        hide_new_syscall(event, bytes.data() + at);
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
