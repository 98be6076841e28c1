// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "shared/event/view.h"

namespace tiercel::event {

std::optional<EventView> EventView::parse(Bytes bytes) {
    std::optional<EventView> made(std::in_place);
    if (!made->fill(bytes))
        made.reset();
    return made;
}

bool EventView::fill(Bytes bytes) {
    if (bytes.size() < sizeof(Header))
        return false;
    std::memcpy(&header_, bytes.data(), sizeof(Header));
    info_ = find(header_.type);
    data_ = bytes.data();
    if (info_ == nullptr || header_.len > bytes.size() || header_.nparams > kMaxParams)
        return false;
    return (info_->flags & LARGE_PAYLOAD) != 0 ? fill_offsets<std::uint32_t>()
                                               : fill_offsets<std::uint16_t>();
}

template <typename Length>
bool EventView::fill_offsets() {
    std::uint64_t offset = sizeof(Header) + header_.nparams * sizeof(Length);
    if (offset > header_.len)
        return false;
    for (std::uint32_t i = 0; i < header_.nparams; ++i) {
        offsets_[i] = static_cast<std::uint32_t>(offset);
        Length length;
        std::memcpy(&length, data_ + sizeof(Header) + i * sizeof(Length), sizeof length);
        offset += length; // cannot wrap around: at most 64 lengths of 32 bits
        if (offset > header_.len)
            return false;
    }
    offsets_[header_.nparams] = static_cast<std::uint32_t>(offset);
    return offset == header_.len;
}

} // namespace tiercel::event
