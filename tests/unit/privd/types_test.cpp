// SPDX-License-Identifier: Apache-2.0
// privd-types: what it keeps of the kernel's types says the same as the whole, and what is no BTF,
// or only a part, is refused in one line.
#include <bpf/btf.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>

#include "kernel/common/abi.h"

namespace {

const std::string kKernels = "/sys/kernel/btf/vmlinux";

bool absent() {
    if (access(kKernels.c_str(), R_OK) == 0)
        return false;
    std::puts("SKIPPED: types: this kernel has no BTF");
    return true;
}

struct Files {
    Files() {
        char name[] = "/tmp/tiercel-types-XXXXXX";
        directory = mkdtemp(name);
    }
    ~Files() { std::filesystem::remove_all(directory); }
    std::string operator/(const char* name) const { return directory + "/" + name; }
    std::string directory;
};

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

// Its exit code, or 128 and the signal that ended it.
int keep_types(const std::string& from, const Files& files) {
    int status = std::system(
        fmt::format("'{}' <'{}' >'{}' 2>'{}'", PRIVD_TYPES, from, files / "kept", files / "errors")
            .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

using Types = std::unique_ptr<btf, decltype(&btf__free)>;

Types read_types(const std::string& path) {
    return {btf__parse(path.c_str(), nullptr), btf__free};
}

const char* name_of(const Types& types, const btf_type* type) {
    return btf__name_by_offset(types.get(), type->name_off);
}

// Where the member with this name is, in bits, and how often there is one.
std::pair<std::uint32_t, int> find_member(const Types& types, const btf_type* type,
                                          const char* name) {
    std::pair<std::uint32_t, int> found{0, 0};
    for (int i = 0; i < btf_vlen(type); ++i)
        if (std::strcmp(btf__name_by_offset(types.get(), btf_members(type)[i].name_off), name) == 0)
            found = {btf_members(type)[i].offset, found.second + 1};
    return found;
}

void check_members(const Types& kept, const btf_type* ours, const Types& all,
                   const btf_type* theirs) {
    for (int i = 0; i < btf_vlen(ours); ++i) {
        const char* name = btf__name_by_offset(kept.get(), btf_members(ours)[i].name_off);
        auto [offset, times] = find_member(all, theirs, name);
        CAPTURE(name);
        CHECK(times >= 1);
        if (*name)
            CHECK(btf_members(ours)[i].offset == offset);
    }
}

} // namespace

TEST_CASE("what is kept of the kernel's types says the same as the whole") {
    Files files;
    if (absent())
        return;
    REQUIRE(keep_types(kKernels, files) == 0);
    Types all = read_types(kKernels), kept = read_types(files / "kept");
    REQUIRE(all);
    REQUIRE(kept);
    __u32 size = 0, types = btf__type_cnt(kept.get());
    auto* bytes = static_cast<const char*>(btf__raw_data(kept.get(), &size));
    auto* header = reinterpret_cast<const btf_header*>(bytes);
    std::uint32_t end = header->hdr_len + header->str_off + header->str_len;
    CHECK(size - end == 4 * std::max<std::uint32_t>(types, TIERCEL_TYPES_MAX));
    CHECK(size < 200'000);
    auto* numbers = reinterpret_cast<const std::uint32_t*>(bytes + end);
    for (std::uint32_t id = 1; id < types; ++id) {
        const btf_type* ours = btf__type_by_id(kept.get(), id);
        const btf_type* theirs = btf__type_by_id(all.get(), numbers[id]);
        REQUIRE(theirs);
        CAPTURE(name_of(all, theirs));
        CHECK(btf_kind(ours) == btf_kind(theirs));
        CHECK((!ours->name_off || std::strcmp(name_of(kept, ours), name_of(all, theirs)) == 0));
        if (btf_is_composite(ours)) {
            CHECK(ours->size == theirs->size);
            check_members(kept, ours, all, theirs);
        } else if (btf_is_typedef(ours) || btf_is_array(ours)) {
            CHECK(btf__resolve_size(kept.get(), id) == btf__resolve_size(all.get(), numbers[id]));
        }
    }
}

TEST_CASE("what the probes need is kept") {
    Files files;
    if (absent())
        return;
    REQUIRE(keep_types(kKernels, files) == 0);
    Types kept = read_types(files / "kept");
    REQUIRE(kept);
    auto id = [&kept](const char* name, unsigned kind) {
        return btf__find_by_name_kind(kept.get(), name, kind);
    };
    CHECK(id("bpf_iter_task_file", BTF_KIND_FUNC) > 0);
    CHECK(id("btf_trace_sched_process_exit", BTF_KIND_TYPEDEF) > 0);
    CHECK(id("vfs_read", BTF_KIND_FUNC) < 0); // no probe names it
    int task = id("task_struct", BTF_KIND_STRUCT);
    REQUIRE(task > 0);
    CHECK(task < TIERCEL_TYPES_MAX); // the probe casts to it
    const btf_type* type = btf__type_by_id(kept.get(), static_cast<std::uint32_t>(task));
    CHECK(find_member(kept, type, "tgid").second == 1);
    CHECK(find_member(kept, type, "comm").second == 1);
    CHECK(find_member(kept, type, "sched_info").second == 0);
}

TEST_CASE("what is no BTF, or a part of it, is refused in one line") {
    Files files;
    if (absent())
        return;
    const std::string whole = content(kKernels);
    std::mt19937 random(7);
    std::string noise(20'000, '\0');
    for (char& byte : noise)
        byte = static_cast<char>(random());
    btf_header one{.magic = 0xeb9f,
                   .version = 1,
                   .flags = 0,
                   .hdr_len = sizeof one,
                   .type_off = 0,
                   .type_len = sizeof(btf_type),
                   .str_off = sizeof(btf_type),
                   .str_len = 1};
    btf_type unknown{};
    unknown.info = 31U << 24;
    std::string later(reinterpret_cast<const char*>(&one),
                      sizeof one); // a kind of type of a later kernel
    later.append(reinterpret_cast<const char*>(&unknown), sizeof unknown).append(1, '\0');
    std::string wild =
        whole.substr(0, sizeof(btf_header)) + noise; // a right head, and then anything
    for (const std::string& bad :
         {std::string(), std::string("no BTF at all"), whole.substr(0, 10),
          whole.substr(0, 100'000), whole.substr(0, whole.size() / 2), later, noise, wild}) {
        std::ofstream(files / "bad", std::ios::binary) << bad;
        CHECK(keep_types(files / "bad", files) == 1);
        const std::string said = content(files / "errors");
        CHECK(said.starts_with("privd-types: cannot read the kernel's types: "));
        CHECK(std::count(said.begin(), said.end(), '\n') == 1);
        CHECK(content(files / "kept").empty());
    }
}
