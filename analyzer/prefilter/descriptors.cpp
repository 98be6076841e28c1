// SPDX-License-Identifier: Apache-2.0
//
// Implements the choice of the files that the tables follow: what each field of a rule looks at,
// and what follows from that for each kind of event.
#include "analyzer/prefilter/descriptors.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "analyzer/fields/format.h"
#include "analyzer/state/fd.h"
#include "shared/event/params.h"

namespace tiercel::prefilter {

namespace {

using namespace event;

// Fields that look at descriptors beside that of the event.
constexpr std::string_view kOfTable[] = {"proc.fdopencount", "proc.fdusage",     "proc.stdin.type",
                                         "proc.stdout.type", "proc.stderr.type", "proc.stdin.name",
                                         "proc.stdout.name", "proc.stderr.name"};

// Fields beside fd.* that look at the descriptor of the event.
constexpr std::string_view kOfFile[] = {
    "evt.category",        "evt.is_syslog",          "evt.buflen",           "evt.count.error.file",
    "evt.count.error.net", "evt.count.error.memory", "evt.count.error.other"};

// Fields that have no value unless the descriptor is an internet socket.
constexpr std::string_view kOfEnds[] = {
    "fd.ip",    "fd.cip",   "fd.sip",    "fd.lip",    "fd.rip",    "fd.net",   "fd.cnet",
    "fd.snet",  "fd.lnet",  "fd.rnet",   "fd.port",   "fd.cport",  "fd.sport", "fd.lport",
    "fd.rport", "fd.proto", "fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
    return std::ranges::find(names, name) != std::end(names);
}

// Calls that succeed only on a socket, which is their first argument.
bool is_socket_call(std::uint16_t code) {
    switch (code) {
    case SOCKET_BIND_X:
    case SOCKET_CONNECT_X:
    case SOCKET_LISTEN_X:
    case SOCKET_GETSOCKNAME_X:
    case SOCKET_GETPEERNAME_X:
    case SOCKET_SHUTDOWN_X:
    case SOCKET_SETSOCKOPT_X:
    case SOCKET_GETSOCKOPT_X:
    case SOCKET_SEND_X:
    case SOCKET_SENDTO_X:
    case SOCKET_SENDMSG_X:
    case SOCKET_SENDMMSG_X:
    case SOCKET_RECV_X:
    case SOCKET_RECVFROM_X:
    case SOCKET_RECVMSG_X:
    case SOCKET_RECVMMSG_X: return true;
    default: return false;
    }
}

bool is_dup(std::uint16_t code) {
    return code == SYSCALL_DUP_1_X || code == SYSCALL_DUP2_X || code == SYSCALL_DUP3_X;
}

// Calls that fail if the descriptor at which a lookup starts is no directory. The others can be
// given an empty path and work on the descriptor itself.
bool starts_at_directory(std::uint16_t code) {
    switch (code) {
    case SYSCALL_OPENAT_2_X:
    case SYSCALL_OPENAT2_X:
    case SYSCALL_MKDIRAT_X:
    case SYSCALL_UNLINKAT_2_X:
    case SYSCALL_RENAMEAT_X:
    case SYSCALL_RENAMEAT2_X:
    case SYSCALL_SYMLINKAT_X:
    case SYSCALL_FCHMODAT_X: return true;
    default: return false;
    }
}

// Returns the calls that a call on sockets can have made on a socket.
Box on_socket() {
    Box box;
    for (const unsigned error : {EBADF, ENOTSOCK})
        box.errors[error / 64] &= ~(1ULL << (error % 64));
    return box;
}

Box returned(std::uint8_t kinds) {
    Box box = Box::of_success();
    box.files = {TIERCEL_RETURNED, kinds};
    return box;
}

bool holds(const filter::Comparison& comparison, std::string_view text) {
    filter::Value value;
    value.text = text;
    return comparison.holds(filter::Values{true, &value, 1});
}

// What a descriptor can be that is neither a socket nor a directory. `unknown`: the tables do not
// have it.
constexpr state::FdKind kElsewhere[] = {
    state::FdKind::unknown,  state::FdKind::file,    state::FdKind::file_with_flags,
    state::FdKind::pipe,     state::FdKind::event,   state::FdKind::unsupported,
    state::FdKind::signalfd, state::FdKind::timerfd, state::FdKind::eventpoll,
    state::FdKind::inotify,  state::FdKind::bpf,     state::FdKind::userfaultfd,
    state::FdKind::io_uring, state::FdKind::memfd,   state::FdKind::pidfd};

// Returns the texts that the field can have for such a descriptor; nothing if it can have others.
// An empty list: the field has no value.
std::optional<std::vector<std::string>> texts_of(std::string_view field, state::FdKind kind) {
    const bool known = kind != state::FdKind::unknown;
    if (field == "fd.type")
        return known ? std::vector{std::string(state::fd_kind_name(kind))}
                     : std::vector<std::string>();
    if (field == "fd.typechar")
        return std::vector{std::string(1, state::fd_kind_letter(kind))};
    if (field == "fd.l4proto")
        return known ? std::vector<std::string>{"<NA>"} : std::vector<std::string>();
    if (field == "fd.sockfamily" || is_one_of(field, kOfEnds))
        return std::vector<std::string>();
    if (field == "fd.name" &&
        kind == state::FdKind::userfaultfd) // whose letter is that of a Unix socket
        return std::vector<std::string>{"", "[userfaultfd]", "anon_inode:[userfaultfd]"};
    return std::nullopt;
}

// The comparison's answer for such a descriptor.
Conditions::Truth judge_elsewhere(const filter::Test& test, std::string_view field,
                                  state::FdKind kind) {
    const auto texts = texts_of(field, kind);
    if (!texts)
        return Conditions::Truth::unknown;
    const auto holds_for = [&test](const std::string& text) {
        return holds(test.comparison, text);
    };
    const bool held = texts->empty() ? test.comparison.holds(filter::Values{})
                                     : std::ranges::any_of(*texts, holds_for);
    const bool failed = texts->empty() ? !held : !std::ranges::all_of(*texts, holds_for);
    return held && failed ? Conditions::Truth::unknown
           : held         ? Conditions::Truth::yes
                          : Conditions::Truth::no;
}

} // namespace

void Descriptors::Looks::add(const Looks& other) {
    file = file || other.file;
    table = table || other.table;
    told |= other.told;
}

Descriptors::Descriptors(const rules::RuleSet& rules, const Conditions& conditions,
                         const filter::Fields& fields)
    : rules_(rules), conditions_(conditions), fields_(fields) {
    outputs_.resize(rules.rules.size());
    const auto read = [this](Output& output, const std::string& text) {
        filter::Format::Problem problem;
        const auto format = filter::Format::compile(text, output_fields_, problem);
        if (!format)
            return;
        for (const auto& piece : format->pieces()) {
            output.computed = output.computed || piece.computed != nullptr;
            if (piece.has_field && piece.computed == nullptr)
                output.fields.push_back(piece.field);
        }
    };
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (!rules.rules[i].enabled)
            continue;
        read(outputs_[i], rules.rules[i].output);
        for (const auto& [name, text] : rules.rules[i].extra_fields)
            read(outputs_[i], text);
    }
}

// A condition must know a parameter exactly, an output only its text.
Descriptors::Looks Descriptors::looks_at(const filter::ResolvedField& field, const Call& call,
                                         bool in_output) const {
    const std::string_view name = field.info->name;
    Looks looks;
    if (is_one_of(name, kOfTable) || name.starts_with("fdlist.") || name == "fd.types") {
        looks.table = name != "fd.types" || call.concerns_fd;
    } else if (is_one_of(name, kOfFile) || name.starts_with("fd.")) {
        looks.file = call.uses_fd;
    } else if (name.starts_with("fs.path.") || name.starts_with("evt.abspath")) {
        looks.file = call.uses_fd && !call.has_relative_path && !call.makes_fd;
        looks.told = starts_at_directory(call.code) ? 0 : call.starts();
    } else if (name == "evt.args" || name == "evt.info" || name == "evt.arg") {
        for (std::size_t i = 0; i < call.parameters.size(); ++i) {
            const Call::Parameter& parameter = call.parameters[i];
            const bool named =
                name != "evt.arg" ||
                (field.argument.index >= 0 ? static_cast<std::size_t>(field.argument.index) == i
                                           : field.argument.key == parameter.name);
            if (!named || parameter.shows == Call::Shows::nothing)
                continue;
            const bool exact = in_output || parameter.shows == Call::Shows::start;
            if (!exact || parameter.shows == Call::Shows::files)
                looks.table = true;
            else if (parameter.shows != Call::Shows::start || !starts_at_directory(call.code))
                looks.told |= static_cast<std::uint8_t>(1U << parameter.descriptor);
        }
    }
    return looks;
}

Descriptors::Looks Descriptors::looks_of_slot(filter::SlotId id, const Call& call) const {
    if (id == filter::kNoSlot)
        return {};
    const filter::Slot& slot = conditions_.graph().slots()[id];
    if (slot.transform == filter::Transform::none)
        return looks_at(fields_[slot.use.id], call, false);
    Looks looks;
    for (const auto& input : slot.inputs)
        looks.add(looks_of_slot(input.slot, call));
    return looks;
}

Descriptors::Looks Descriptors::looks_of_output(filter::RuleId rule, const Call& call) const {
    const Output& output = outputs_[rule];
    Looks looks{.table = output.computed};
    for (const std::uint32_t field : output.fields)
        looks.add(looks_at(output_fields_[field], call, true));
    return looks;
}

bool Descriptors::may_hold_elsewhere(filter::NodeId condition, const Call& call) const {
    return std::ranges::any_of(kElsewhere, [&](state::FdKind kind) {
        const auto judge = [&](const filter::Test& test) {
            const filter::Slot& slot = conditions_.graph().slots()[test.slot];
            if (test.right != filter::kNoSlot || slot.transform != filter::Transform::none ||
                !fields_[slot.use.id].argument.key.empty())
                return Conditions::Truth::unknown;
            return judge_elsewhere(test, fields_[slot.use.id].info->name, kind);
        };
        return conditions_.decide(condition, event::find(call.code)->name, judge).truth !=
               Conditions::Truth::no;
    });
}

Boxes Descriptors::restrict(filter::RuleId rule, const Call& call, Boxes boxes) {
    if (boxes.empty() || !needs_all_.empty())
        return boxes;
    const filter::NodeId condition = rules_.program->conditions[rule];
    const auto undecided = [](const filter::Test&) { return Conditions::Truth::unknown; };
    Looks asked;
    for (const filter::NodeId id :
         conditions_.decide(condition, event::find(call.code)->name, undecided).open) {
        const filter::Test& test = conditions_.graph().test_of(id);
        asked.add(looks_of_slot(test.slot, call));
        asked.add(looks_of_slot(test.right, call));
    }
    const Looks shown = looks_of_output(rule, call);
    told_[call.code] |= asked.told | shown.told;
    if (asked.table || shown.table) {
        needs_all_ = rules_.rules[rule].name;
        return boxes;
    }
    if (asked.file)
        return restrict_condition(rule, call, std::move(boxes));
    // The output of a call that closes its descriptor comes too late to tell its file.
    const bool fails_elsewhere =
        is_socket_call(call.code) &&
        std::ranges::all_of(boxes, [](const Box& box) { return on_socket().contains(box); });
    if (shown.file && !fails_elsewhere) {
        if (call.fd_argument == Box::kNoArgument || call.destroys_fd)
            needs_all_ = rules_.rules[rule].name;
        else
            told_[call.code] |= static_cast<std::uint8_t>(1U << call.fd_argument);
    }
    return boxes;
}

// The rule's condition looks at the event's descriptor, which the tables have if it is followed.
Boxes Descriptors::restrict_condition(filter::RuleId rule, const Call& call, Boxes boxes) {
    const bool elsewhere = may_hold_elsewhere(rules_.program->conditions[rule], call);
    if (is_socket_call(call.code)) {
        const auto certain = [](const Box& box) { return on_socket().contains(box); };
        if (std::ranges::all_of(boxes, certain))
            return boxes;
        if (!elsewhere) {
            restricted_[call.code] = true;
            return intersection(boxes, {on_socket()});
        }
    } else if (is_dup(call.code) && !elsewhere && std::ranges::none_of(boxes, &Box::has_errors)) {
        restricted_[call.code] = true;
        return intersection(boxes, {returned(kFollowed)});
    }
    needs_all_ = rules_.rules[rule].name;
    return boxes;
}

// An event that passes for another reason must not meet what the tables remember of a closed
// descriptor.
void Descriptors::finish(const Call& call, const Boxes& all) {
    if (!restricted_[call.code] || !needs_all_.empty())
        return;
    const Box allowed = is_dup(call.code) ? returned(kFollowed) : on_socket();
    if (!std::ranges::all_of(all, [&](const Box& box) { return allowed.contains(box); }))
        needs_all_ = "several rules on " + std::string(event::find(call.code)->name);
}

Boxes Descriptors::needed(const Call& call, const Boxes& boxes) {
    if (is_socket_call(call.code))
        return intersection(boxes, {on_socket()});
    if (is_dup(call.code))
        return intersection(boxes, {returned(kFollowed)});
    switch (call.code) {
    case SYSCALL_OPEN_X:
    case SYSCALL_OPENAT_2_X:
    case SYSCALL_OPENAT2_X:
    case SYSCALL_OPEN_BY_HANDLE_AT_X:
        return intersection(boxes, {returned(TIERCEL_FILE_DIRECTORY)});
    case SYSCALL_FCNTL_X: {
        Box copies = returned(kFollowed), marks = Box::of_success();
        copies.values = {1, UINT32_MAX, 1ULL << F_DUPFD | 1ULL << 63}; // F_DUPFD_CLOEXEC is large
        marks.values = {1, UINT32_MAX, 1ULL << F_SETFD};
        marks.files = {0, kFollowed};
        return {copies, marks};
    }
    case SYSCALL_CLOSE_RANGE_X: {
        Box unshares = Box::of_success();
        constexpr std::uint32_t kUnshare = 1U << 1; // CLOSE_RANGE_UNSHARE
        unshares.values = {2, kUnshare, 1ULL << kUnshare};
        return {unshares};
    }
    case SYSCALL_CLOSE_X:
    case SYSCALL_CREAT_X:
    case SYSCALL_PIPE_X:
    case SYSCALL_PIPE2_X:
    case SYSCALL_EVENTFD_X:
    case SYSCALL_EVENTFD2_X:
    case SYSCALL_SIGNALFD_X:
    case SYSCALL_SIGNALFD4_X:
    case SYSCALL_TIMERFD_CREATE_X:
    case SYSCALL_INOTIFY_INIT_X:
    case SYSCALL_INOTIFY_INIT1_X:
    case SYSCALL_EPOLL_CREATE_X:
    case SYSCALL_EPOLL_CREATE1_X:
    case SYSCALL_USERFAULTFD_X:
    case SYSCALL_IO_URING_SETUP_X:
    case SYSCALL_MEMFD_CREATE_X:
    case SYSCALL_PIDFD_OPEN_X:
    case SYSCALL_BPF_2_X: return {};
    default: return boxes;
    }
}

} // namespace tiercel::prefilter
