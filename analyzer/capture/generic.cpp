// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/generic.h"

#include <cstring>
#include <optional>

#include "shared/event/params.h"
#include "shared/event/view.h"

namespace tiercel::capture {
namespace {

namespace generic = event::param::GENERIC_X;

// Marks a native number that holds an id of the schema, for calls that this machine does not have.
// No machine has native numbers with this bit.
constexpr std::uint16_t kIsId = 0x8000;
constexpr std::uint16_t kNoNumber = UINT16_MAX;

struct Numbers {
    std::uint16_t id, native;
};

std::optional<Numbers> numbers_of(const event::EventView& view) {
    const auto id = view.number<std::uint16_t>(generic::ID);
    const auto native = view.number<std::uint16_t>(generic::nativeID);
    if (!id || !native)
        return std::nullopt;
    return Numbers{*id, *native};
}

void store(std::span<std::byte> event, const event::EventView& view, Numbers numbers) {
    const auto put = [&](std::uint32_t param, std::uint16_t value) {
        const auto at = view.param(param).data() - view.bytes().data();
        std::memcpy(event.data() + at, &value, sizeof value);
    };
    put(generic::ID, numbers.id);
    put(generic::nativeID, numbers.native);
}

std::uint16_t native_of(std::uint16_t id) {
    const event::SyscallInfo* call = event::find_syscall_by_scap(id);
    const int native = call != nullptr ? event::native_number(*call) : -1;
    return native >= 0 ? static_cast<std::uint16_t>(native)
                       : static_cast<std::uint16_t>(kIsId | id);
}

// The id that stands for a hidden one, or 0.
std::uint16_t hidden_id(std::uint16_t native) {
    if (native == kNoNumber)
        return 0;
    if ((native & kIsId) != 0)
        return native & static_cast<std::uint16_t>(~kIsId);
    const event::SyscallInfo* call = event::find_syscall_by_number(native);
    return call != nullptr && call->scap >= kOldSyscalls ? call->scap : 0;
}

} // namespace

void hide_new_id(std::span<std::byte> event) {
    const auto view = event::EventView::parse(event);
    const auto numbers = view ? numbers_of(*view) : std::nullopt;
    if (numbers && numbers->id >= kOldSyscalls)
        store(event, *view, {0, native_of(numbers->id)});
}

void restore_new_id(std::span<std::byte> event) {
    const auto view = event::EventView::parse(event);
    auto numbers = view ? numbers_of(*view) : std::nullopt;
    if (!numbers)
        return;
    if (numbers->id == 0)
        numbers->id = hidden_id(numbers->native);
    if (numbers->id >= kIsId) // no schema has such an id
        store(event, *view, {0, kNoNumber});
    else if (numbers->id >= kOldSyscalls)
        store(event, *view, {numbers->id, native_of(numbers->id)});
    else
        store(event, *view, *numbers);
}

} // namespace tiercel::capture
