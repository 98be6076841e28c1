// SPDX-License-Identifier: Apache-2.0
//
// Implements relocations.h with libbpf's access to BTF. The records of relocations have no reader
// in libbpf's interface, so they are read here as include/uapi/linux/bpf.h and btf_ext describe
// them.
#include "tests/relocation/relocations.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace tiercel::relocation {

namespace {

struct ExtensionHeader {
    std::uint16_t magic;
    std::uint8_t version, flags;
    std::uint32_t header_bytes, functions, functions_bytes, lines, lines_bytes, relocations,
        relocations_bytes;
};

bool is_field(std::uint32_t kind) {
    return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}

bool asks_existence(std::uint32_t kind) {
    return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_TYPE_EXISTS ||
           kind == BPF_CORE_ENUMVAL_EXISTS;
}

std::string text_at(const btf* types, std::uint32_t offset) {
    const char* text = btf__str_by_offset(types, offset);
    return text == nullptr ? "" : text;
}

std::string without_suffix(const std::string& name) {
    const std::size_t at = name.find("___");
    return at == std::string::npos || at == 0 ? name : name.substr(0, at);
}

std::uint32_t plain(const btf* types, std::uint32_t id) {
    const btf_type* type = btf__type_by_id(types, id);
    while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type))) {
        id = type->type;
        type = btf__type_by_id(types, id);
    }
    return id;
}

Shape shape_of(const btf* types, std::uint32_t id, bool bit_field) {
    id = plain(types, id);
    const btf_type* type = btf__type_by_id(types, id);
    if (id == 0 || type == nullptr)
        return {};
    const std::int64_t size = btf__resolve_size(types, id);
    const auto kind =
        btf_kind(type) == BTF_KIND_ENUM64 ? std::uint32_t{BTF_KIND_ENUM} : btf_kind(type);
    return {.kind = kind,
            .size = size < 0 ? 0 : static_cast<std::uint32_t>(size),
            .bit_field = bit_field};
}

// Follows one index of a relocation's text in the program's types.
std::uint32_t follow(const btf* types, std::uint32_t id, std::uint32_t index, Name& name,
                     bool& bit_field) {
    const btf_type* type = btf__type_by_id(types, plain(types, id));
    if (btf_is_array(type)) {
        name.steps.emplace_back("[]");
        return btf_array(type)->type;
    }
    if (!btf_is_composite(type) || index >= btf_vlen(type))
        throw std::runtime_error("a relocation leads nowhere");
    const btf_member& member = btf_members(type)[index];
    if (member.name_off != 0)
        name.steps.push_back(text_at(types, member.name_off));
    bit_field = btf_member_bitfield_size(type, index) != 0;
    return member.type;
}

Relocation describe(const btf* types, const bpf_core_relo& record) {
    const std::uint32_t root = plain(types, record.type_id);
    const btf_type* type = btf__type_by_id(types, root);
    Relocation out;
    out.kind = record.kind;
    out.root_kind = btf_kind(type);
    out.name.root = without_suffix(text_at(types, type->name_off));
    std::istringstream access(text_at(types, record.access_str_off));
    std::string part;
    std::vector<std::uint32_t> indices;
    while (std::getline(access, part, ':'))
        indices.push_back(static_cast<std::uint32_t>(std::stoul(part)));
    if (is_field(record.kind)) {
        std::uint32_t id = root;
        bool bit_field = false;
        for (std::size_t i = 1; i < indices.size(); ++i)
            id = follow(types, id, indices[i], out.name, bit_field);
        out.shape = shape_of(types, id, bit_field);
    } else if (record.kind == BPF_CORE_ENUMVAL_EXISTS || record.kind == BPF_CORE_ENUMVAL_VALUE) {
        out.name.steps.push_back(without_suffix(
            text_at(types, btf_is_enum64(type) ? btf_enum64(type)[indices.at(0)].name_off
                                               : btf_enum(type)[indices.at(0)].name_off)));
    }
    return out;
}

struct Member {
    std::uint32_t type;
    bool bit_field;
};

// Looks for a member by its name, also within members that have none.
std::optional<Member> member_of(const btf* types, std::uint32_t id, const std::string& name) {
    const btf_type* type = btf__type_by_id(types, plain(types, id));
    if (type == nullptr || !btf_is_composite(type))
        return std::nullopt;
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
        const btf_member& member = btf_members(type)[i];
        if (member.name_off == 0) {
            if (const auto inner = member_of(types, member.type, name))
                return inner;
        } else if (text_at(types, member.name_off) == name) {
            return Member{.type = member.type, .bit_field = btf_member_bitfield_size(type, i) != 0};
        }
    }
    return std::nullopt;
}

std::optional<Shape> field_of(const btf* types, std::uint32_t id, const Name& name) {
    bool bit_field = false;
    for (const std::string& step : name.steps) {
        const btf_type* type = btf__type_by_id(types, plain(types, id));
        if (step == "[]") {
            if (!btf_is_array(type))
                return std::nullopt;
            id = btf_array(type)->type;
        } else {
            const auto member = member_of(types, id, step);
            if (!member)
                return std::nullopt;
            id = member->type;
            bit_field = member->bit_field;
        }
    }
    return shape_of(types, id, bit_field);
}

bool has_value(const btf* types, const btf_type* type, const std::string& name) {
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
        const std::uint32_t at =
            btf_is_enum64(type) ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;
        if (text_at(types, at) == name)
            return true;
    }
    return false;
}

bool alike(std::uint32_t one, std::uint32_t other) {
    const auto composite = [](std::uint32_t kind) {
        return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
    };
    return one == other || (composite(one) && composite(other));
}

// Whether the field is one of those that the program has asked for, or lies within one.
bool within_any(const std::string& field, const std::set<std::string>& asked) {
    return std::any_of(asked.begin(), asked.end(), [&](const std::string& name) {
        return field.starts_with(name) && (field.size() == name.size() ||
                                           field[name.size()] == '.' || field[name.size()] == '[');
    });
}

// A group of one field says that the program reads it by its size in the kernel, or takes only its
// lower bytes.
bool of_any_size(const std::vector<std::set<std::string>>& alternatives, const std::string& name) {
    return std::any_of(alternatives.begin(), alternatives.end(), [&](const auto& group) {
        return group.size() == 1 && group.contains(name);
    });
}

// Whether the program would read other bytes than the field has. The lower bytes of a larger number
// are its value.
std::string difference(const Relocation& relocation, const Shape& found, bool reads_bits) {
    const bool number =
        relocation.shape.kind == BTF_KIND_INT || relocation.shape.kind == BTF_KIND_ENUM;
    if (found.bit_field && !reads_bits)
        return "is a bit-field in this kernel, and the program reads whole bytes";
    if (number && found.size < relocation.shape.size && !reads_bits)
        return fmt::format("has {} bytes in this kernel, and the program reads {}", found.size,
                           relocation.shape.size);
    return {};
}

} // namespace

void FreeTypes::operator()(btf* types) const {
    btf__free(types);
}

Types read_types(const std::string& path) {
    Types types(btf__parse(path.c_str(), nullptr));
    if (!types)
        throw std::runtime_error(path + ": no BTF");
    return types;
}

std::string Name::text() const {
    std::string out = root;
    for (const std::string& step : steps)
        out += step == "[]" ? step : "." + step;
    return out;
}

std::vector<Relocation> read_relocations(const std::string& object) {
    btf_ext* extension = nullptr;
    const Types types(btf__parse_elf(object.c_str(), &extension));
    if (!types || extension == nullptr)
        throw std::runtime_error(object + ": no relocations");
    std::uint32_t bytes = 0;
    const auto* raw = static_cast<const char*>(btf_ext__get_raw_data(extension, &bytes));
    ExtensionHeader header{};
    std::memcpy(&header, raw, sizeof header);
    const char* at = raw + header.header_bytes + header.relocations;
    const char* const end = at + header.relocations_bytes;
    std::uint32_t record_bytes = 0;
    std::memcpy(&record_bytes, at, sizeof record_bytes);
    at += sizeof record_bytes;
    std::vector<Relocation> out;
    while (at < end) {
        std::uint32_t section[2]; // its name, how many records
        std::memcpy(section, at, sizeof section);
        at += sizeof section;
        for (std::uint32_t i = 0; i < section[1]; ++i, at += record_bytes) {
            bpf_core_relo record{};
            std::memcpy(&record, at, sizeof record);
            out.push_back(describe(types.get(), record));
        }
    }
    btf_ext__free(extension);
    return out;
}

Kernel::Kernel(const std::string& path) : types_(read_types(path)) {
    for (std::uint32_t id = 1; id < btf__type_cnt(types_.get()); ++id) {
        const btf_type* type = btf__type_by_id(types_.get(), id);
        if (type->name_off != 0 && !btf_is_fwd(type))
            by_name_.emplace(without_suffix(text_at(types_.get(), type->name_off)), id);
    }
}

bool Kernel::has_type(const Relocation& relocation) const {
    const auto [from, to] = by_name_.equal_range(relocation.name.root);
    return std::any_of(from, to, [&](const auto& entry) {
        return alike(btf_kind(btf__type_by_id(types_.get(), plain(types_.get(), entry.second))),
                     relocation.root_kind);
    });
}

std::optional<Shape> Kernel::find(const Relocation& relocation) const {
    const btf* types = types_.get();
    const auto [from, to] = by_name_.equal_range(relocation.name.root);
    for (auto entry = from; entry != to; ++entry) {
        const btf_type* type = btf__type_by_id(types, plain(types, entry->second));
        if (!alike(btf_kind(type), relocation.root_kind))
            continue;
        if (is_field(relocation.kind)) {
            const auto shape = field_of(types, entry->second, relocation.name);
            if (shape && alike(shape->kind, relocation.shape.kind))
                return shape;
        } else if (relocation.name.steps.empty() ||
                   has_value(types, type, relocation.name.steps[0])) {
            return Shape{};
        }
    }
    return std::nullopt;
}

std::vector<std::string> faults(const std::vector<Relocation>& relocations, const Kernel& kernel,
                                const std::vector<std::set<std::string>>& alternatives,
                                bool partial) {
    std::set<std::string> present, missing, refused, bits;
    for (const Relocation& r : relocations) {
        if (partial && !kernel.has_type(r))
            continue;
        const bool found = kernel.find(r).has_value();
        if (!asks_existence(r.kind))
            (found ? present : missing).insert(r.name.text());
        else if (!found)
            refused.insert(r.name.text());
        if (r.kind == BPF_CORE_FIELD_LSHIFT_U64)
            bits.insert(r.name.text());
    }
    std::set<std::string> out;
    for (const std::string& name : missing) {
        const auto group = std::find_if(alternatives.begin(), alternatives.end(),
                                        [&](const auto& names) { return names.contains(name); });
        const bool grouped = group != alternatives.end();
        const bool replaced =
            grouped && std::any_of(group->begin(), group->end(),
                                   [&](const auto& other) { return present.contains(other); });
        if (!replaced && !within_any(name, refused) && (grouped || !partial))
            out.insert(name + " is missing in this kernel, and nothing replaces it");
    }
    for (const Relocation& r : relocations) {
        const auto found = kernel.find(r);
        if (!found || !is_field(r.kind) || asks_existence(r.kind))
            continue;
        if (of_any_size(alternatives, r.name.text()))
            continue;
        const std::string what = difference(r, *found, bits.contains(r.name.text()));
        if (!what.empty())
            out.insert(r.name.text() + " " + what);
    }
    return {out.begin(), out.end()};
}

} // namespace tiercel::relocation
