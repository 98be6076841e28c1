// SPDX-License-Identifier: Apache-2.0
//
// Implements find_call() from the rows of events.def, and a list of the calls that make an fd.
#include "analyzer/prefilter/calls.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "shared/event/params.h"
#include "shared/event/table.h"

namespace tiercel::prefilter {

namespace {

enum class Capture : std::uint8_t {
#define GROUP(group)
#define CAPTURE(name, doc) name,
#include "shared/event/captures.def"
#undef GROUP
#undef CAPTURE
};

struct Parameter {
    event::ParamType type;
    Capture capture;
    std::uint8_t argument = 0, second = 0;
    constexpr Parameter(event::ParamType t, Capture c, int a = 0, int b = 0, int = 0)
        : type(t), capture(c), argument(static_cast<std::uint8_t>(a)),
          second(static_cast<std::uint8_t>(b)) {}
};

struct Row {
    std::uint16_t code;
    std::vector<Parameter> parameters;
};

const std::vector<Row>& rows() {
#define P(name, type, format, info, capture, ...)                                                  \
    Parameter(event::ParamType::type, Capture::capture __VA_OPT__(, ) __VA_ARGS__)
#define OWN(name, type, capture, ...)                                                              \
    Parameter(event::ParamType::type, Capture::capture __VA_OPT__(, ) __VA_ARGS__)
#define EVENT(code, symbol, name, category, flags, source, ...) {code, {__VA_ARGS__}},
    static const std::vector<Row> kRows = {
#include "shared/event/events.def"
    };
#undef EVENT
#undef OWN
#undef P
    return kRows;
}

// The tracker makes the result the fd of these events (update_files.cpp, update_sockets.cpp), and
// gives them no fd if they failed.
bool makes_fd(std::uint16_t code) {
    using namespace event;
    switch (code) {
    case SYSCALL_OPEN_X:
    case SYSCALL_CREAT_X:
    case SYSCALL_OPENAT_2_X:
    case SYSCALL_OPENAT2_X:
    case SOCKET_SOCKET_X: return true;
    default: return false;
    }
}

// The tracker makes the path of these events the raw name of their fd.
bool names_fd(std::uint16_t code) {
    return makes_fd(code) && code != event::SOCKET_SOCKET_X;
}

Call make_call(const Row& row) {
    Call call;
    call.code = row.code;
    const bool first = !row.parameters.empty() && (row.parameters[0].capture == Capture::ret ||
                                                   row.parameters[0].capture == Capture::mmsg_ret);
    call.result_is_first = first && event::width(row.parameters[0].type) == sizeof(std::int64_t);
    call.makes_fd = call.result_is_first && makes_fd(row.code);
    for (std::size_t i = 0; i < row.parameters.size(); ++i) {
        const Parameter& parameter = row.parameters[i];
        if (parameter.capture == Capture::open_flags) {
            call.flags = static_cast<std::uint8_t>(i);
            call.flags_argument = parameter.argument;
        }
        if (parameter.capture == Capture::path && names_fd(row.code))
            call.path_argument = parameter.argument;
    }
    return call;
}

} // namespace

const Call* find_call(std::uint16_t code) {
    static const std::vector<Call> kCalls = [] {
        std::vector<Call> calls;
        for (const Row& row : rows()) {
            const event::EventInfo* info = event::find(row.code);
            if (info != nullptr && info->origin == event::Origin::SYSCALL && info->is_exit() &&
                row.code != event::GENERIC_X)
                calls.push_back(make_call(row));
        }
        return calls;
    }();
    const auto found = std::ranges::find(kCalls, code, &Call::code);
    return found != kCalls.end() ? &*found : nullptr;
}

static_assert(event::kCodeLimit <= TIERCEL_FILTER_CODES);

} // namespace tiercel::prefilter
