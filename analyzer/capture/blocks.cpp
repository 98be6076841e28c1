// SPDX-License-Identifier: Apache-2.0
#include "analyzer/capture/blocks.h"

namespace tiercel::capture {

std::uint32_t released_type(std::uint32_t type) {
    switch (type) {
    case 0x8000abcd: return PROCESS_LIST_V1;
    case 0x8001abcd: return FD_LIST;
    case 0x8002abcd: return MACHINE_INFO;
    case 0x8010abcd: return EVENTS;
    case 0x8011abcd: return INTERFACE_LIST;
    case 0x8012abcd: return USER_LIST;
    case 0x8013abcd: return PROCESS_LIST_V2;
    case 0x8014abcd: return PROCESS_LIST_V3;
    default: return type;
    }
}

} // namespace tiercel::capture
