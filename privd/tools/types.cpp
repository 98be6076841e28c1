// SPDX-License-Identifier: Apache-2.0
//
// privd-types, which privd runs before it takes a peer. It implements the choice of kernel types:
// of the 5 MiB in which a kernel describes its types, and of which libbpf holds two copies, it
// keeps what the probes name, some 30 KiB. Standard input is the kernel's BTF, or a file like it;
// standard output gets BTF and, behind it, the number in the kernel of each type. It gives up its
// one capability and makes itself undumpable before it reads. Exit codes: 0 done, 1 failure.
//
// The format is the kernel's Documentation/bpf/btf.rst.
#include <linux/btf.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kernel/common/abi.h"

namespace {

using std::string_view;
using std::uint32_t;

// The types that each probe is compiled with.
#define PROBE(name)                                                                                \
    asm(".pushsection .rodata\n" #name "_btf: .incbin \"" name##_BTF "\"\n.popsection\n");         \
    extern "C" const char name##_btf[]
PROBE(tiercel_modern);
PROBE(tiercel_modern_no_cast);
PROBE(tiercel_modern_old);
PROBE(tiercel_classic);

[[noreturn]] void fail(const char* what) {
    fprintf(stderr, "privd-types: cannot read the kernel's types: %s\n", what);
    _exit(1);
}

// Standard input, a page at a time: that is all that the kernel gives at once.
class Input {
  public:
    template <typename T>
    T read(uint32_t at) {
        T value{};
        copy(at, &value, sizeof value);
        return value;
    }
    void copy(uint32_t at, void* to, uint32_t bytes) {
        for (uint32_t done = 0, part; done < bytes; done += part) {
            uint32_t offset = (at + done) % sizeof page_;
            load(at + done - offset);
            part = std::min<uint32_t>(bytes - done, sizeof page_ - offset);
            std::memcpy(static_cast<char*>(to) + done, page_ + offset, part);
        }
    }
    // The text at `at`, up to its NUL.
    void text(uint32_t at, std::string& to) {
        to.clear();
        for (bool whole = false; !whole;) {
            uint32_t offset = at % sizeof page_;
            load(at - offset);
            string_view rest(page_ + offset, sizeof page_ - offset);
            string_view part = rest.substr(0, rest.find('\0'));
            whole = part.size() < rest.size();
            to += part;
            at += static_cast<uint32_t>(part.size());
        }
    }

  private:
    void load(uint32_t at) {
        if (at == at_)
            return;
        std::memset(page_, 0, sizeof page_);
        if (pread(STDIN_FILENO, page_, sizeof page_, at) <= 0)
            fail("it ends too early");
        at_ = at;
    }
    uint32_t at_ = 1; // of no page
    char page_[4096];
};

// How many bytes of a type follow its head.
uint32_t bytes_behind(const btf_type& type) {
    uint32_t count = BTF_INFO_VLEN(type.info);
    switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return 4;
    case BTF_KIND_ARRAY: return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return count * sizeof(btf_member);
    case BTF_KIND_ENUM: return count * sizeof(btf_enum);
    case BTF_KIND_ENUM64: return count * sizeof(btf_enum64);
    case BTF_KIND_FUNC_PROTO: return count * sizeof(btf_param);
    case BTF_KIND_DATASEC: return count * sizeof(btf_var_secinfo);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    default: fail("there is a kind of type that this program is too old for");
    }
}

// What the probes name: types, members, what they attach to. A name may have a flavour, after
// three underscores, of which the kernel knows nothing.
std::unordered_set<string_view> probes_names() {
    std::unordered_set<string_view> names;
    for (const char* btf : {tiercel_modern_btf, tiercel_modern_no_cast_btf, tiercel_modern_old_btf,
                            tiercel_classic_btf}) {
        btf_header header{};
        std::memcpy(&header, btf, sizeof header);
        string_view texts(btf + header.hdr_len + header.str_off, header.str_len);
        while (!texts.empty()) {
            string_view text = texts.substr(0, texts.find('\0'));
            texts.remove_prefix(text.size() + 1);
            names.insert(text);
            names.insert(text.substr(0, text.find("___")));
            names.insert(text.substr(text.find('/') + 1)); // of a section: what is attached to
        }
    }
    names.insert({"regs", "__unused"}); // the parameter of a syscall's function
    names.insert("bpf_rdonly_cast");    // which the probe calls under another name
    names.erase("");
    return names;
}

// The functions that implement syscalls, for attachment per syscall.
bool implements_a_syscall(string_view name) {
    return name.starts_with("__x64_sys_") || name.starts_with("__do_sys_") ||
           name.starts_with("__arm64_sys_");
}

// The kernel's types that are wanted, numbered anew as they come to be known.
class Types {
  public:
    Types() : header_(input_.read<btf_header>(0)) {
        if (header_.magic != BTF_MAGIC)
            fail("this is no BTF");
    }
    void read_names();
    void read_types();
    bool write() const;

  private:
    bool is_whole(uint32_t id);
    uint32_t place(uint32_t id);
    uint32_t want(uint32_t id);
    uint32_t name(uint32_t offset) const;
    // Whether the definition is that of a tracepoint, a pointer to a function.
    bool is_tracepoint(uint32_t name) const {
        return string_view(texts_.data() + name).starts_with("btf_trace_");
    }
    void put(const void* what, std::size_t bytes) {
        types_.append(static_cast<const char*>(what), bytes);
    }
    void put_wanted();
    void put_type(uint32_t at);
    void put_members(btf_type type, uint32_t at);
    template <typename Part>
    void put_parts(uint32_t count, uint32_t at, void (*change)(Types&, Part&));

    static constexpr uint32_t kStride = 64;
    Input input_;
    btf_header header_;
    std::vector<uint32_t> places_;                   // of every 64th type
    std::unordered_map<uint32_t, uint32_t> names_;   // the kernel's offset of a name: ours
    std::unordered_map<uint32_t, uint32_t> numbers_; // the kernel's number of a type: ours
    std::vector<uint32_t> wanted_{0};                // by our number: the kernel's
    uint32_t put_ = 1;                               // of those
    std::unordered_set<uint32_t> tracepoints_;       // the kernel's numbers of their functions
    std::string texts_ = std::string(1, '\0'), types_;
};

void Types::read_names() {
    const auto probes = probes_names();
    std::string text;
    for (uint32_t at = 1; at < header_.str_len; at += static_cast<uint32_t>(text.size()) + 1) {
        input_.text(header_.hdr_len + header_.str_off + at, text);
        if (!probes.contains(text) && !implements_a_syscall(text))
            continue;
        names_[at] = static_cast<uint32_t>(texts_.size());
        texts_.append(text.c_str(), text.size() + 1);
    }
}

void Types::read_types() {
    std::vector<uint32_t> functions;
    for (uint32_t id = 1, at = 0; at < header_.type_len; ++id) {
        if (id % kStride == 1)
            places_.push_back(at);
        auto type = input_.read<btf_type>(header_.hdr_len + header_.type_off + at);
        at += static_cast<uint32_t>(sizeof type) + bytes_behind(type);
        uint32_t kind = BTF_INFO_KIND(type.info);
        if (name(type.name_off) && kind == BTF_KIND_FUNC)
            functions.push_back(id);
        else if (name(type.name_off) && (kind < BTF_KIND_VAR || kind == BTF_KIND_ENUM64))
            want(id);
    }
    put_wanted();
    for (uint32_t id : functions) // last, so that the types' numbers are small
        if (is_whole(id))
            want(id);
    put_wanted();
}

// False of a function that is a part, or an alias, of one that implements a syscall: that one takes
// the caller's registers, under one of two names.
bool Types::is_whole(uint32_t id) {
    auto function = input_.read<btf_type>(place(id));
    std::string text;
    input_.text(header_.hdr_len + header_.str_off + function.name_off, text);
    if (!implements_a_syscall(text))
        return true;
    uint32_t at = place(function.type);
    if (BTF_INFO_VLEN(input_.read<btf_type>(at).info) == 0)
        return false;
    auto first = input_.read<btf_param>(at + static_cast<uint32_t>(sizeof(btf_type)));
    input_.text(header_.hdr_len + header_.str_off + first.name_off, text);
    return text == "regs" || text == "__unused";
}

// Where the type is.
uint32_t Types::place(uint32_t id) {
    if ((id - 1) / kStride >= places_.size())
        fail("a type is named that it does not have");
    uint32_t at = header_.hdr_len + header_.type_off + places_[(id - 1) / kStride];
    for (uint32_t before = (id - 1) % kStride; before > 0; --before) {
        auto type = input_.read<btf_type>(at);
        at += static_cast<uint32_t>(sizeof type) + bytes_behind(type);
    }
    return at;
}

// Our number of the type, which will be put.
uint32_t Types::want(uint32_t id) {
    if (id == 0)
        return 0;
    auto [known, is_new] = numbers_.try_emplace(id, wanted_.size());
    if (is_new)
        wanted_.push_back(id);
    return known->second;
}

// Our offset of the name; 0, that of the empty one, where no probe knows it.
uint32_t Types::name(uint32_t offset) const {
    auto known = names_.find(offset);
    return known == names_.end() ? 0 : known->second;
}

// And what they refer to, and so on.
void Types::put_wanted() {
    for (; put_ < wanted_.size(); ++put_)
        put_type(place(wanted_[put_]));
}

template <typename Part>
void Types::put_parts(uint32_t count, uint32_t at, void (*change)(Types&, Part&)) {
    for (uint32_t i = 0; i < count; ++i) {
        auto part = input_.read<Part>(at + i * static_cast<uint32_t>(sizeof(Part)));
        change(*this, part);
        put(&part, sizeof part);
    }
}

// Of a structure's members, those that a probe names, and those without a name, in which such may
// be.
void Types::put_members(btf_type type, uint32_t at) {
    std::vector<btf_member> kept;
    for (uint32_t i = 0; i < BTF_INFO_VLEN(type.info); ++i) {
        auto member = input_.read<btf_member>(at + i * static_cast<uint32_t>(sizeof(btf_member)));
        if (member.name_off == 0 || name(member.name_off))
            kept.push_back({name(member.name_off), want(member.type), member.offset});
    }
    type.info = (type.info & ~0xffffu) | static_cast<uint32_t>(kept.size());
    put(&type, sizeof type);
    put(kept.data(), kept.size() * sizeof(btf_member));
}

void Types::put_type(uint32_t at) {
    auto type = input_.read<btf_type>(at);
    uint32_t kind = BTF_INFO_KIND(type.info), count = BTF_INFO_VLEN(type.info);
    at += static_cast<uint32_t>(sizeof type);
    type.name_off = name(type.name_off);
    if (kind == BTF_KIND_TYPEDEF && is_tracepoint(type.name_off))
        tracepoints_.insert(input_.read<btf_type>(place(type.type)).type);
    if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
        return put_members(type, at);
    if (kind == BTF_KIND_PTR && tracepoints_.contains(type.type))
        type.type = want(type.type); // its parameters are counted
    else if (kind == BTF_KIND_PTR || kind == BTF_KIND_FUNC_PROTO)
        type.type = 0; // nothing else is looked up through a pointer
    else if (kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
             kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG || kind == BTF_KIND_FUNC)
        type.type = want(type.type);
    put(&type, sizeof type);
    if (kind == BTF_KIND_INT)
        put_parts<uint32_t>(1, at, [](Types&, uint32_t&) {});
    if (kind == BTF_KIND_ARRAY)
        put_parts<btf_array>(1, at, [](Types& all, btf_array& array) {
            array.type = all.want(array.type);
            array.index_type = all.want(array.index_type);
        });
    if (kind == BTF_KIND_ENUM)
        put_parts<btf_enum>(count, at, [](Types& all, btf_enum& value) {
            value.name_off = all.name(value.name_off);
        });
    if (kind == BTF_KIND_ENUM64)
        put_parts<btf_enum64>(count, at, [](Types& all, btf_enum64& value) {
            value.name_off = all.name(value.name_off);
        });
    if (kind == BTF_KIND_FUNC_PROTO)
        put_parts<btf_param>(count, at, [](Types& all, btf_param& parameter) {
            parameter = {all.name(parameter.name_off), 0};
        });
}

bool Types::write() const {
    btf_header header{.magic = BTF_MAGIC,
                      .version = BTF_VERSION,
                      .flags = 0,
                      .hdr_len = sizeof header,
                      .type_off = 0,
                      .type_len = static_cast<uint32_t>(types_.size()),
                      .str_off = static_cast<uint32_t>(types_.size()),
                      .str_len = static_cast<uint32_t>((texts_.size() + 3) & ~3ul)};
    std::string texts = texts_;
    texts.resize(header.str_len); // the numbers behind them are aligned
    std::vector<uint32_t> numbers = wanted_;
    numbers.resize(std::max<std::size_t>(numbers.size(), TIERCEL_TYPES_MAX)); // a map's whole value
    return fwrite(&header, sizeof header, 1, stdout) == 1 &&
           fwrite(types_.data(), types_.size(), 1, stdout) == 1 &&
           fwrite(texts.data(), texts.size(), 1, stdout) == 1 &&
           fwrite(numbers.data(), numbers.size() * sizeof(uint32_t), 1, stdout) == 1 &&
           fflush(stdout) == 0;
}

} // namespace

// The capability that privd gave this process kept other processes of its account away until now.
// Undumpable, it is as far from them; and it needs no capability.
static void give_up_privilege() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    bool given_up = prctl(PR_SET_DUMPABLE, 0) == 0 &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
                    syscall(SYS_capset, &header, none) == 0;
    if (!given_up)
        fail("this process cannot give up its privilege");
}

int main() {
    give_up_privilege();
    prctl(PR_SET_NAME, "privd-types"); // the kernel names a program that has no path by a number
    Types types;
    types.read_names();
    types.read_types();
    if (!types.write())
        fail("they cannot be passed on");
}
