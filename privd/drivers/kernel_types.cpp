// SPDX-License-Identifier: Apache-2.0
//
// Implements the reading of the kernel's types. What privd-types writes decides where in the
// kernel's memory the probe reads. So no other process of its account may reach that process or its
// output: it starts with one capability that they lack, makes itself undumpable, and its output is
// sealed, then checked. The format is the kernel's Documentation/bpf/btf.rst.
#include "privd/drivers/kernel_types.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "privd/options.h"

namespace tiercel::privd {

KernelTypes kernel_types;

namespace {

using wire::Reply;

constexpr std::size_t kBytesMax = 4 << 20; // some 30 KiB are usual

Reply refusal(wire::LoadStep step, int error) {
    return {.status = wire::Status::load_failed, .error = error, .detail = step};
}

// In the child: becomes privd-types, which reads `from` and writes `to`.
[[noreturn]] void become_types(int program, int from, int to, std::uint64_t mask) {
    char name[] = "privd-types";
    char* argv[] = {name, nullptr};
    char* environment[] = {nullptr};
    // The program's own descriptor is close-on-exec, like every other one.
    must(dup2(from, STDIN_FILENO) == STDIN_FILENO && dup2(to, STDOUT_FILENO) == STDOUT_FILENO,
         "pass files to privd-types");
    must(shield(mask), "keep a capability for privd-types");
    execveat(program, "", argv, environment, AT_EMPTY_PATH);
    must(false, "run", name);
    __builtin_unreachable();
}

} // namespace

Reply KernelTypes::open(const char* file) {
    source_ = os::UniqueFd(::open(file ? file : "/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC));
    if (!source_.valid())
        return refusal(wire::step_btf, errno);
    char path[kPathMax];
    if (!sibling("-types", "", path))
        return refusal(wire::step_types, errno);
    program_ = os::UniqueFd(::open(path, O_PATH | O_CLOEXEC));
    return program_.valid() ? Reply{} : refusal(wire::step_types, errno);
}

bool KernelTypes::run(std::uint64_t mask) {
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        become_types(program_.get(), source_.get(), memory_.get(), mask);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status))
        os::write_stderr("privd: privd-types was killed by signal %d (%s)\n", WTERMSIG(status),
                         sigabbrev_np(WTERMSIG(status)));
    errno = ENOEXEC; // privd-types has printed which file it could not read
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool KernelTypes::check() {
    struct stat info {};
    errno = EBADMSG;
    if (fstat(memory_.get(), &info) != 0 || info.st_size < static_cast<off_t>(sizeof(btf_header)) ||
        info.st_size > static_cast<off_t>(kBytesMax))
        return false;
    auto bytes = static_cast<std::size_t>(info.st_size);
    void* mapped = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, memory_.get(), 0);
    if (mapped == MAP_FAILED)
        return false;
    btf_header header{};
    std::memcpy(&header, mapped, sizeof header);
    std::size_t types = std::size_t{header.hdr_len} + header.type_len;
    std::size_t all = types + header.str_len;
    bool right = header.magic == BTF_MAGIC && header.hdr_len == sizeof header &&
                 header.type_off == 0 && header.str_off == header.type_len && all <= bytes &&
                 all % sizeof(std::uint32_t) == 0 && (bytes - all) % sizeof(std::uint32_t) == 0;
    errno = EBADMSG;
    if (!right)
        return false;
    count_ = (bytes - all) / sizeof(std::uint32_t);
    numbers_ = reinterpret_cast<const std::uint32_t*>(static_cast<const char*>(mapped) + all);
    kept_ = btf__new(mapped, static_cast<__u32>(all)); // it checks types and names
    errno = EBADMSG;
    return kept_ != nullptr && count_ >= TIERCEL_TYPES_MAX && count_ >= btf__type_cnt(kept_);
}

Reply KernelTypes::read(std::uint64_t mask) {
    constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    memory_ = os::UniqueFd(memfd_create("kernel types", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    snprintf(path_, sizeof path_, "/proc/self/fd/%d", memory_.get());
    bool done =
        memory_.valid() && run(mask) && fcntl(memory_.get(), F_ADD_SEALS, kSeals) == 0 && check();
    return done ? Reply{} : refusal(wire::step_types, errno);
}

std::uint32_t KernelTypes::number(int id) const {
    bool known = id > 0 && static_cast<std::size_t>(id) < count_;
    return known ? numbers_[id] : 0;
}

std::uint32_t KernelTypes::number(const char* name) const {
    int found = btf__find_by_name_kind(kept_, name, BTF_KIND_FUNC);
    if (found < 0)
        found = btf__find_by_name_kind(kept_, name, BTF_KIND_TYPEDEF); // of a tracepoint
    return number(found);
}

std::uint32_t KernelTypes::parameters(const char* name) const {
    int found = btf__find_by_name_kind(kept_, name, BTF_KIND_TYPEDEF);
    const btf_type* type = found < 0 ? nullptr : btf__type_by_id(kept_, static_cast<__u32>(found));
    while (type != nullptr && (btf_is_typedef(type) || btf_is_ptr(type)))
        type = btf__type_by_id(kept_, type->type);
    bool function = type != nullptr && btf_is_func_proto(type) && btf_vlen(type) > 0;
    return function ? btf_vlen(type) - 1u : 0; // the first is the program's data
}

} // namespace tiercel::privd
