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

// The first parameter that is a descriptor behind the result (StateTracker, find_fd_param()).
void find_fd(const Row& row, const event::EventInfo& info, Call& call) {
    call.concerns_fd =
        (info.flags & (event::CREATES_FD | event::USES_FD | event::DESTROYS_FD)) != 0;
    call.uses_fd = (info.flags & (event::USES_FD | event::DESTROYS_FD)) != 0;
    call.destroys_fd = (info.flags & event::DESTROYS_FD) != 0;
    if (!call.uses_fd)
        return;
    for (std::size_t i = 1; i < row.parameters.size(); ++i)
        if (row.parameters[i].type == event::ParamType::FD) {
            if (row.parameters[i].capture == Capture::sarg)
                call.fd_argument = row.parameters[i].argument;
            return;
        }
}

Call::Parameter describe(const Row& row, const event::EventInfo& info, std::size_t index) {
    const auto argument = [&](std::size_t of, Call::Shows shows) {
        const bool plain = row.parameters[of].capture == Capture::sarg;
        return Call::Parameter{info.params[index].name, plain ? shows : Call::Shows::files,
                               row.parameters[of].argument};
    };
    const event::ParamInfo& param = info.params[index];
    switch (param.type) {
    case event::ParamType::FD:
        if (index == 0) // made by the call
            break;
        return argument(index, Call::Shows::file);
    case event::ParamType::FSRELPATH:
        if (param.dirfd < 0)
            break;
        return argument(static_cast<std::size_t>(param.dirfd), Call::Shows::start);
    case event::ParamType::FD32:
    case event::ParamType::FDLIST: return {param.name, Call::Shows::files, Box::kNoArgument};
    default: break;
    }
    return {param.name, Call::Shows::nothing, Box::kNoArgument};
}

Call make_call(const Row& row) {
    Call call;
    call.code = row.code;
    const event::EventInfo& info = *event::find(row.code);
    find_fd(row, info, call);
    for (std::size_t i = 0; i < info.params.size() && i < row.parameters.size(); ++i) {
        call.parameters.push_back(describe(row, info, i));
        call.has_relative_path = call.has_relative_path || info.params[i].dirfd >= 0;
    }
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

std::uint8_t Call::starts() const {
    std::uint8_t bits = 0;
    for (const Parameter& parameter : parameters)
        if (parameter.shows == Shows::start)
            bits |= static_cast<std::uint8_t>(1U << parameter.descriptor);
    return bits;
}

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
