// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as what a container runtime answers, by HTTP and by gRPC.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyzer/enrich/answer.h"

using namespace tiercel;

namespace {

void judge(const state::Container& container) {
    if (container.labels.size() > enrich::kMostEntries ||
        container.mounts.size() > enrich::kMostEntries || container.name.size() > enrich::kMostText)
        abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto container = enrich::read_inspection(bytes))
        judge(*container);
    const auto call = enrich::read_call(bytes);
    if (call.container)
        judge(*call.container);
    if (call.container && !call.over)
        abort();
    return 0;
}
