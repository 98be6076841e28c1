// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/rules/test_fields.h"

#include <arpa/inet.h>

#include <cstdlib>
#include <stdexcept>

namespace tiercel::rules {

using filter::Plurality;
using filter::ValueType;

namespace {

struct Known {
    const char* name;
    ValueType type = ValueType::text;
    Plurality plurality = Plurality::single;
};

constexpr Known kKnown[] = {
    {"container.id"},
    {"container.image.repository"},
    {"container.privileged", ValueType::boolean},
    {"container.start_ts", ValueType::unsigned_number},
    {"container.name"},
    {"container.type"},
    {"evt.arg"},
    {"evt.args"},
    {"evt.dir"},
    {"evt.type"},
    {"evt.res"},
    {"evt.category"},
    {"evt.failed", ValueType::boolean},
    {"evt.hostname"},
    {"evt.is_open_read", ValueType::boolean},
    {"evt.is_open_write", ValueType::boolean},
    {"evt.is_open_exec", ValueType::boolean},
    {"evt.is_open_create", ValueType::boolean},
    {"evt.num", ValueType::unsigned_number},
    {"evt.rawres", ValueType::signed_number},
    {"evt.buffer", ValueType::bytes},
    {"evt.rawarg", ValueType::unsigned_number},
    {"fd.connected", ValueType::boolean},
    {"fd.directory"},
    {"fd.filename"},
    {"fd.name"},
    {"fd.nameraw"},
    {"fd.name_changed", ValueType::boolean},
    {"fd.path_differs", ValueType::boolean},
    {"fd.realpath"},
    {"fd.type"},
    {"fd.typechar"},
    {"fd.types", ValueType::text, Plurality::list},
    {"fd.l4proto"},
    {"fd.num", ValueType::signed_number},
    {"fd.ip", ValueType::address, Plurality::endpoints},
    {"fd.net", ValueType::network, Plurality::endpoints},
    {"fd.sip", ValueType::address},
    {"fd.cip", ValueType::address},
    {"fd.rip", ValueType::address},
    {"fd.snet", ValueType::network},
    {"fd.cnet", ValueType::network},
    {"fd.rnet", ValueType::network},
    {"fd.sip.name"},
    {"fd.sport", ValueType::unsigned_number},
    {"fd.rport", ValueType::unsigned_number},
    {"fd.lport", ValueType::unsigned_number},
    {"fd.cport", ValueType::unsigned_number},
    {"fs.path.name"},
    {"fs.path.source"},
    {"fs.path.target"},
    {"fs.path.nameraw"},
    {"group.gid", ValueType::unsigned_number},
    {"group.name"},
    {"k8s.ns.name"},
    {"proc.aname", ValueType::text, Plurality::any},
    {"proc.aexepath", ValueType::text, Plurality::any},
    {"proc.args"},
    {"proc.cmdline"},
    {"proc.cwd"},
    {"proc.duration", ValueType::unsigned_number},
    {"proc.exe"},
    {"proc.exepath"},
    {"proc.name"},
    {"proc.pname"},
    {"proc.pcmdline"},
    {"proc.pexe"},
    {"proc.pexepath"},
    {"proc.pid", ValueType::signed_number},
    {"proc.ppid", ValueType::signed_number},
    {"proc.is_exe_from_memfd", ValueType::boolean},
    {"proc.is_exe_upper_layer", ValueType::boolean},
    {"proc.is_exe_writable", ValueType::boolean},
    {"proc.env"},
    {"proc.vpid", ValueType::signed_number},
    {"proc.sname"},
    {"proc.tty", ValueType::unsigned_number},
    {"proc.sid", ValueType::signed_number},
    {"proc.exe_ino.ctime", ValueType::unsigned_number},
    {"proc.exe_ino.mtime", ValueType::unsigned_number},
    {"proc.exe_ino.ctime_duration_proc_start", ValueType::unsigned_number},
    {"syscall.type"},
    {"thread.cap_effective"},
    {"thread.tid", ValueType::signed_number},
    {"user.name"},
    {"user.loginname"},
    {"user.uid", ValueType::unsigned_number},
    {"user.loginuid", ValueType::signed_number},
    {"thread.cap_permitted"},
};

} // namespace

bool TestFields::resolve(const filter::Operand& operand, filter::FieldUse& use, Problem& problem) {
    for (const Known& known : kKnown) {
        const std::string name = known.name;
        const bool argument =
            operand.name.starts_with(name + '.') && (name == "evt.arg" || name == "evt.rawarg");
        if (operand.name != name && !argument)
            continue;
        const bool indexed = operand.has_argument || argument;
        const std::string whole =
            operand.name + (operand.has_argument ? '[' + operand.argument + ']' : std::string());
        use.type = known.type;
        use.plurality =
            indexed && known.plurality != Plurality::list ? Plurality::single : known.plurality;
        use.is_event_type = name == "evt.type" || name == "syscall.type";
        use.cost = use.plurality == Plurality::any ? 20 : 4;
        for (use.id = 0; use.id < names_.size() && names_[use.id] != whole;)
            ++use.id;
        if (use.id == names_.size()) {
            names_.push_back(whole);
            types_.push_back(known.type);
        }
        return true;
    }
    filter::Suggestion best(operand.name);
    for (const Known& known : kKnown)
        best.consider(known.name);
    problem = {"unknown field '" + operand.name + "'", best.hint(), true};
    return false;
}

filter::Values TestEvent::fetch(std::uint32_t id, filter::Value&) {
    const auto found = given.find(fields.name(id));
    if (found == given.end())
        return {};
    std::vector<filter::Value>& list = values[id];
    list.clear();
    addresses.reserve(64);
    for (const std::string& text : found->second) {
        filter::Value& value = list.emplace_back();
        switch (fields.type(id)) {
        case ValueType::text:
        case ValueType::bytes: value.text = text; break;
        case ValueType::boolean: value.number = text == "true" ? 1 : 0; break;
        case ValueType::address:
        case ValueType::network: {
            char bytes[16];
            const bool v4 = inet_pton(AF_INET, text.c_str(), bytes) == 1;
            if (!v4 && inet_pton(AF_INET6, text.c_str(), bytes) != 1)
                throw std::invalid_argument(text);
            value.text = addresses.emplace_back(bytes, v4 ? 4 : 16);
            break;
        }
        default: value.number = std::stoll(text); break;
        }
    }
    return {true, list.data(), static_cast<std::uint32_t>(list.size())};
}

filter::EventKind TestEvent::kind() const {
    const std::string& type = given.at("evt.type").at(0);
    for (filter::EventKind kind = 0; kind < filter::kind_count(); ++kind) {
        if (filter::kind_name(kind) == type)
            return kind;
    }
    throw std::invalid_argument("no event type " + type);
}

} // namespace tiercel::rules
