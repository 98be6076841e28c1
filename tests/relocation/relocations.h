// SPDX-License-Identifier: Apache-2.0
//
// The CO-RE relocations of a BPF object, and what a kernel's types make of them, by the rules of
// libbpf (Documentation/bpf/libbpf). Nothing is loaded, so any kernel's types can be asked
// anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct btf;

namespace tiercel::relocation {

struct FreeTypes {
    void operator()(btf* types) const;
};
using Types = std::unique_ptr<btf, FreeTypes>;

// Reads BTF from a file that holds nothing else, or from the section .BTF of an ELF file.
Types read_types(const std::string& path);

// A field, type or value that a program names. `steps` are the names of members, without unnamed
// structs; "[]" is an element of an array.
struct Name {
    std::string root; // of the kernel's type, without ___ and suffix
    std::vector<std::string> steps;
    [[nodiscard]] std::string text() const;
};

// How a type is read: its kind (BTF_KIND_…) after typedefs and qualifiers, its size, the kind of
// its elements.
struct Shape {
    std::uint32_t kind = 0, size = 0;
    bool bit_field = false;
};

struct Relocation {
    Name name;
    std::uint32_t kind = 0;  // enum bpf_core_relo_kind
    std::uint32_t root_kind; // struct, union, enum, …
    Shape shape;             // as the program has it; of fields
};

std::vector<Relocation> read_relocations(const std::string& object);

// A kernel's types, indexed by name.
class Kernel {
  public:
    explicit Kernel(const std::string& path);
    [[nodiscard]] bool has_type(const Relocation& relocation) const;
    // The field, type or value in this kernel; nothing if the kernel has none that libbpf would
    // take.
    [[nodiscard]] std::optional<Shape> find(const Relocation& relocation) const;

  private:
    Types types_;
    std::multimap<std::string, std::uint32_t> by_name_;
};

// What is wrong with an object's relocations on this kernel, one sentence each. `alternatives` are
// groups of fields of which a kernel has to have one; a field alone may have another size. With
// `partial`, the kernel's types are only a part, and what they lack is a fault only if it is in a
// group.
std::vector<std::string> faults(const std::vector<Relocation>& relocations, const Kernel& kernel,
                                const std::vector<std::set<std::string>>& alternatives,
                                bool partial);

} // namespace tiercel::relocation
