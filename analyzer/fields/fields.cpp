// SPDX-License-Identifier: Apache-2.0
//
// Fields: the registry of all fields, their resolution by name, and values as text.
#include "analyzer/fields/fields.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/language/suggest.h"
#include "analyzer/state/socket.h"

namespace tiercel::filter {
namespace {

const FieldClass kClasses[] = {
    {"evt", "The event itself.", event_fields()},
    {"evt (result)", "The result of the call.", event_result_fields()},
    {"evt (parameters)", "The parameters of the call.", event_param_fields()},
    {"evt (time)", "The time of the event.", time_fields()},
    {"process", "The process that caused the event.", process_fields()},
    {"process (program)", "The program that the process runs.", executable_fields()},
    {"process lineage", "Its parents, its session and its process group.", lineage_fields()},
    {"thread", "The thread that caused the event.", thread_fields()},
    {"fd", "The file descriptor that the event uses or makes.", fd_fields()},
    {"fd (endpoints)", "The two ends of a connection.", fd_peer_fields()},
    {"fdlist", "The fds that poll and ppoll wait for.", fd_list_fields()},
    {"fs.path", "The paths that a file system call works on, when it succeeded.", path_fields()},
    {"user", "The user of the thread.", user_fields()},
    {"group", "The group of the thread.", group_fields()},
    {"container", "The container that the process runs in.", container_fields()},
};

const FieldInfo* find_field(std::string_view name) {
    static const auto kTable = [] {
        std::unordered_map<std::string_view, const FieldInfo*> made;
        for (const FieldClass& group : kClasses)
            for (const FieldInfo& field : group.fields)
                made.emplace(field.name, &field);
        return made;
    }();
    const auto found = kTable.find(name);
    return found != kTable.end() ? found->second : nullptr;
}

ValueType value_type(event::ParamType type) {
    using enum event::ParamType;
    switch (type) {
    case INT8:
    case INT16:
    case INT32:
    case INT64:
    case ERRNO:
    case FD:
    case FD32:
    case PID:
    case PID32: return ValueType::signed_number;
    case BYTEBUF:
    case SOCKADDR:
    case SOCKTUPLE:
    case FDLIST:
    case DYN: return ValueType::bytes;
    case CHARBUF:
    case FSPATH:
    case FSRELPATH:
    case CHARBUFARRAY:
    case CHARBUF_PAIR_ARRAY:
    case NONE: return ValueType::text;
    case IPV4ADDR:
    case IPV6ADDR: return ValueType::address;
    case BOOL: return ValueType::boolean;
    case DOUBLE: return ValueType::real;
    case UINT8:
    case UINT16:
    case UINT32:
    case UINT64:
    case SYSCALLID:
    case SIGTYPE:
    case RELTIME:
    case ABSTIME:
    case PORT:
    case FLAGS8:
    case FLAGS16:
    case FLAGS32:
    case UID:
    case GID:
    case SIGSET:
    case MODE:
    case ENUMFLAGS8:
    case ENUMFLAGS16:
    case ENUMFLAGS32: return ValueType::unsigned_number;
    }
    return ValueType::unsigned_number;
}

// The first event's parameter of that name; nullptr if no event has one.
const event::ParamInfo* find_param(std::string_view name) {
    for (const event::EventInfo& info : event::events())
        if (const int index = info.find_param(name); index >= 0)
            return &info.params[static_cast<std::size_t>(index)];
    return nullptr;
}

bool wrong(Fields::Problem& problem, std::string message, std::string hint = {}) {
    problem.message = std::move(message);
    problem.hint = std::move(hint);
    return false;
}

bool unknown_field(Fields::Problem& problem, std::string_view name) {
    problem.unknown = true;
    Suggestion suggestion(name);
    for (const FieldClass& group : kClasses)
        for (const FieldInfo& field : group.fields)
            suggestion.consider(field.name);
    return wrong(problem, "there is no field \"" + std::string(name) + '"', suggestion.hint());
}

void append_one(const ResolvedField& field, const Value& value, std::string& out) {
    char digits[72];
    const auto append_number = [&](auto number, int base) {
        out.append(digits, std::to_chars(digits, digits + sizeof digits, number, base).ptr);
    };
    switch (field.type) {
    case ValueType::text: out += value.text; break;
    case ValueType::bytes:
        append_bytes(out,
                     {reinterpret_cast<const std::byte*>(value.text.data()), value.text.size()},
                     field.base64);
        break;
    case ValueType::boolean: out += value.number != 0 ? "true" : "false"; break;
    case ValueType::real:
        std::snprintf(digits, sizeof digits, "%.1lf", value.real);
        out += digits;
        break;
    case ValueType::address:
    case ValueType::network: {
        state::Address ip{};
        std::ranges::copy(value.text.substr(0, ip.size()), ip.begin());
        state::append_ip(out, ip, value.text.size() == ip.size());
        break;
    }
    case ValueType::signed_number: append_number(value.number, 10); break;
    case ValueType::unsigned_number: {
        const auto number = static_cast<std::uint64_t>(value.number);
        if (field.info->print == FieldPrint::padded9) {
            const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
            out.append(end - digits < 9 ? static_cast<std::size_t>(9 - (end - digits)) : 0, '0');
        }
        append_number(number, field.info->print == FieldPrint::hex ? 16 : 10);
    }
    }
}

} // namespace

std::span<const FieldClass> field_classes() {
    return kClasses;
}

bool Fields::resolve(std::string_view name, std::string_view argument, bool has_argument,
                     ResolvedField& field, Problem& problem) {
    const FieldInfo* info = find_field(name);
    // "evt.arg.flags": the argument follows a full stop.
    if (info == nullptr && !has_argument)
        for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0;
             dot = name.rfind('.', dot - 1)) {
            const FieldInfo* shorter = find_field(name.substr(0, dot));
            if (shorter != nullptr && (shorter->argument == FieldArgument::name ||
                                       shorter->argument == FieldArgument::index_or_name)) {
                info = shorter;
                argument = name.substr(dot + 1);
                has_argument = true;
                break;
            }
        }
    if (info == nullptr)
        return unknown_field(problem, name);
    field.info = info;
    field.type = info->type.value;
    field.bits = info->type.bits;
    field.is_port = info->type.shown == "PORT";
    field.argument.key = argument;
    std::int64_t number = -1;
    const auto [end, error] =
        std::from_chars(argument.data(), argument.data() + argument.size(), number);
    const bool is_number =
        error == std::errc() && end == argument.data() + argument.size() && number >= 0;
    field.argument.index = is_number ? number : -1;
    const std::string quoted = '"' + std::string(name) + '"';
    switch (info->argument) {
    case FieldArgument::none: return !has_argument || wrong(problem, quoted + " takes no argument");
    case FieldArgument::optional_index:
        return !has_argument || is_number || wrong(problem, quoted + " takes a number in brackets");
    case FieldArgument::number:
        return is_number || wrong(problem, quoted + " needs a number in brackets");
    case FieldArgument::optional_key: return true;
    case FieldArgument::index_or_name:
        if (!has_argument || argument.empty())
            return wrong(problem, quoted + " needs an argument",
                         "for example evt.arg.fd or evt.arg[0]");
        return is_number || find_param(argument) != nullptr ||
               wrong(problem, "no event has a parameter \"" + std::string(argument) + '"');
    case FieldArgument::name:
        if (argument.empty())
            return wrong(problem, quoted + " needs an argument");
        if (info->type.value == ValueType::bytes) { // evt.rawarg has the parameter's own type
            const event::ParamInfo* param = find_param(argument);
            if (param == nullptr)
                return wrong(problem, "no event has a parameter \"" + std::string(argument) + '"');
            field.type = value_type(param->type);
            field.bits = static_cast<std::uint8_t>(event::width(param->type) * 8);
        }
        return true;
    }
    return true;
}

std::uint32_t Fields::add(ResolvedField field) {
    for (std::uint32_t id = 0; id < fields_.size(); ++id)
        if (fields_[id].info == field.info && fields_[id].argument.key == field.argument.key &&
            fields_[id].argument.each == field.argument.each)
            return id;
    field.base64 = base64_;
    ask_runtimes_ = ask_runtimes_ || comes_from_runtime(*field.info);
    fields_.push_back(std::move(field));
    return static_cast<std::uint32_t>(fields_.size() - 1);
}

bool Fields::resolve_use(const Operand& operand, bool as_list, FieldUse& use, Problem& problem) {
    ResolvedField field;
    if (!resolve(operand.name, operand.argument, operand.has_argument, field, problem))
        return false;
    const FieldInfo& info = *field.info;
    field.argument.each =
        as_list && info.elements == FieldElements::separable && field.argument.key.empty();
    use.type = field.type;
    use.plurality = field.argument.each          ? Plurality::list
                    : field.argument.key.empty() ? info.plurality
                                                 : Plurality::single;
    use.cost = info.cost;
    use.is_event_type = info.name == "evt.type";
    use.is_distance = info.name == "evt.around";
    use.is_port = field.is_port;
    use.bits = field.bits == 0 ? 64 : field.bits;
    use.never = info.extract == &never ? info.description : std::string_view();
    use.id = add(std::move(field));
    return true;
}

bool Fields::resolve(const Operand& operand, FieldUse& use, Problem& problem) {
    return resolve_use(operand, false, use, problem);
}

bool Fields::resolve_list(const Operand& operand, FieldUse& use, Problem& problem) {
    return resolve_use(operand, true, use, problem);
}

std::optional<std::uint32_t> Fields::resolve(std::string_view text, Problem& problem) {
    const std::size_t bracket = text.find('[');
    const bool has_argument = bracket != std::string_view::npos && text.ends_with(']');
    ResolvedField field;
    const std::string_view argument =
        has_argument ? text.substr(bracket + 1, text.size() - bracket - 2) : std::string_view();
    if (!resolve(text.substr(0, has_argument ? bracket : text.size()), argument, has_argument,
                 field, problem))
        return std::nullopt;
    return add(std::move(field));
}

void EventFields::set(const event::EventView& event, std::uint64_t num, std::uint16_t cpu,
                      const state::Current& now) {
    arena_.reset();
    context_.event = &event;
    context_.num = num;
    context_.cpu = static_cast<std::uint16_t>(cpu & ~event::kCpuUring);
    context_.is_uring = (cpu & event::kCpuUring) != 0;
    context_.thread = now.thread;
    context_.fd = now.fd;
    context_.fd_num = now.fd_num;
    context_.fd_name_changed = now.fd_name_changed;
    context_.reading = Reading::kernel;
}

bool EventFields::next_reading() {
    const state::Fd* fd = context_.fd;
    const Reading last = std::exchange(context_.reading, Reading::kernel);
    if (last == Reading::kernel && starts_below_root(context_)) {
        context_.reading = Reading::given;
        return true;
    }
    if (fd == nullptr)
        return false;
    if (last == Reading::kernel && !fd->others->given.empty())
        context_.reading = Reading::given;
    else if (last != Reading::origin && !fd->others->origin.empty())
        context_.reading = Reading::origin;
    return context_.reading != Reading::kernel;
}

bool EventFields::append_text(std::uint32_t id, std::string& out) {
    Value single;
    const Values values = fetch(id, single);
    if (!values.present) {
        out += "<NA>";
        return false;
    }
    append_values(fields_[id], values, out);
    return true;
}

void append_values(const ResolvedField& field, const Values& values, std::string& out) {
    const bool list = field.argument.each ||
                      (field.argument.key.empty() && field.info->plurality != Plurality::single);
    if (list)
        out += '(';
    for (std::uint32_t i = 0; i < values.count; ++i) {
        if (i > 0)
            out += ',';
        append_one(field, values.first[i], out);
    }
    if (list)
        out += ')';
}

} // namespace tiercel::filter
