// SPDX-License-Identifier: Apache-2.0
//
// privd-prove, which `privd --prove-caps` runs: compares the plan with the kernel. It tries the
// real load and attach in a child for the plan's set, for that set less each capability, and for
// each capability alone, and prints the kernel's answers. Exit code: 0 the kernel agrees with the
// plan, 1 it does not, or nothing could be tried, 2 usage.
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <bit>
#include <cstdio>
#include <cstring>

#include "policy/privilege/host.h"
#include "privd/door.h"
#include "privd/options.h"
#include "shared/os/inherited.h"

using namespace tiercel;
using namespace tiercel::privd;

namespace {

using policy::Phase;

constexpr const Driver& kDriver = TIERCEL_DRIVER;

// What the plan says about a set. It says nothing about CAP_SYS_ADMIN alone, which includes much.
enum class Expected { loads, fails, either };

const char* word(Expected expected) {
    switch (expected) {
    case Expected::loads: return "loads";
    case Expected::fails: return "fails";
    case Expected::either: return "either";
    }
    return "";
}

constexpr wire::Status kNotTried = wire::Status::count;

struct Proof {
    policy::Plan plan = {};
    Account user = {}; // under which loads are tried
    const char* btf = nullptr;
    bool json = false;
    bool by_token = false; // the capabilities are those of a user namespace
    bool agree = true;
    bool first = true; // row

    // Tries a load with one set and prints the row.
    void try_set(std::uint64_t mask, Expected expected);
    // Tries the door on a process of root's and prints the row.
    void try_door(std::uint64_t mask, Expected expected);
    void print_row(std::uint64_t mask, Expected expected, const wire::Reply& reply);
};

// In the child: the reply of `work` with at most the capabilities of `mask`.
template <typename Work>
wire::Reply work_with(const Proof& proof, std::uint64_t mask, Work work) {
    wire::Reply reply = kDriver.open(proof.btf);
    become(proof.user, mask);
    if (reply.status == wire::Status::ok)
        reply = kDriver.prepare(mask);
    return reply.status == wire::Status::ok ? work() : reply;
}

// Returns what `work` answers in a child, or a reply of the status not_tried.
template <typename Work>
wire::Reply ask_child(const Proof& proof, std::uint64_t mask, Work work) {
    wire::Reply reply;
    reply.status = kNotTried;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return reply;
    os::UniqueFd in(ends[0]), out(ends[1]);
    pid_t child = fork();
    if (child == 0) {
        wire::Reply answer = work_with(proof, mask, work);
        _exit(write(out.get(), &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    out.reset();
    wire::Reply answer;
    if (read(in.get(), &answer, sizeof answer) == sizeof answer)
        reply = answer;
    waitpid(child, nullptr, 0);
    return reply;
}

void print_set(std::uint64_t mask, bool json) {
    int column = 0;
    for (cap_value_t capability = 0; capability <= CAP_LAST_CAP; ++capability) {
        if (!(mask >> capability & 1))
            continue;
        char* name = cap_to_name(capability);
        column += printf(json ? "%s\"%s\"" : "%s%s", column ? ", " : "", name);
        cap_free(name);
    }
    if (!json)
        printf("%*s", column < 34 ? 34 - column : 1, column ? "" : "(none)");
}

void Proof::print_row(std::uint64_t mask, Expected expected, const wire::Reply& reply) {
    bool loads = reply.status == wire::Status::ok;
    bool tried = reply.status != kNotTried;
    bool agrees = tried && (expected == Expected::either || loads == (expected == Expected::loads));
    const char* answer = !tried ? "not tried" : loads ? "loads" : strerrorname_np(reply.error);
    if (json)
        printf("%s\n  {\"capabilities\": [", first ? "" : ",");
    print_set(mask, json);
    if (json)
        printf("], \"plan\": \"%s\", \"kernel\": \"%s\", \"agree\": %s}", word(expected), answer,
               agrees ? "true" : "false");
    else
        printf(" plan: %-7s kernel: %-10s %s\n", word(expected), answer,
               agrees ? "agree" : "DISAGREE");
    agree = agree && agrees;
    first = false;
}

void Proof::try_set(std::uint64_t mask, Expected expected) {
    auto load = [this] {
        static Handover handover;
        rlimit infinite{RLIM_INFINITY, RLIM_INFINITY};
        if (plan.raise_memlock)
            setrlimit(RLIMIT_MEMLOCK, &infinite); // if that failed and mattered, the load fails
        return kDriver.start(wire::Request{}, getpid(), handover);
    };
    print_row(mask, expected, ask_child(*this, mask, load));
}

void Proof::try_door(std::uint64_t mask, Expected expected) {
    auto open = [root = getpid()] {
        wire::Reply reply;
        wire::LinkReply link;
        reply.error = read_link({.pid = root, .file = wire::ProcFile::exe}, link);
        reply.status = reply.error == 0 ? wire::Status::ok : wire::Status::load_failed;
        return reply;
    };
    print_row(mask, expected, ask_child(*this, mask, open));
}

// The permitted set of this process.
std::uint64_t permitted() {
    std::uint64_t mask = 0;
    cap_t now = cap_get_proc();
    for (cap_value_t capability = 0; capability <= CAP_LAST_CAP; ++capability) {
        cap_flag_value_t has = CAP_CLEAR;
        cap_get_flag(now, capability, CAP_PERMITTED, &has);
        mask |= std::uint64_t{has == CAP_SET} << capability;
    }
    cap_free(now);
    return mask;
}

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << capability;
}

// Tries the plan's set for the load, and that set less each capability.
void try_planned(Proof& proof, std::uint64_t planned) {
    proof.try_set(planned, Expected::loads);
    for (const auto& [capability, name] : wire::kCapabilityTable)
        if (planned & bit(capability))
            proof.try_set(planned & ~bit(capability), Expected::fails);
    if (planned & bit(CAP_SYS_ADMIN)) // which the plan has only where these two are not enough
        proof.try_set((planned & ~bit(CAP_SYS_ADMIN)) | bit(CAP_BPF) | bit(CAP_PERFMON),
                      Expected::fails);
}

// Tries each capability of `ours` alone, unless a row of try_planned() was that set.
void try_single(Proof& proof, std::uint64_t planned, std::uint64_t ours) {
    for (const auto& [capability, name] : wire::kCapabilityTable) {
        std::uint64_t alone = bit(capability);
        bool shown = alone == planned || (alone & planned && std::popcount(planned) == 2);
        if (!shown && ours & alone)
            proof.try_set(alone, capability == CAP_SYS_ADMIN ? Expected::either : Expected::fails);
    }
    if (std::popcount(planned) != 1)
        proof.try_set(0, Expected::fails);
}

void print_beginning(const Proof& proof) {
    const char* name = wire::option_of(kDriver.name).data();
    if (proof.json)
        printf("{\"driver\": \"%s\", \"by_token\": %s, \"attempts\": [", name,
               proof.by_token ? "true" : "false");
    else
        printf("driver %s, tried as uid %u%s:\n", name, proof.user.uid,
               proof.by_token ? " by a BPF token, with capabilities of a user namespace" : "");
}

int prove(Account user, const char* btf, bool json) {
    policy::HostFacts facts = policy::gather_host_facts();
    Proof proof{policy::plan(kDriver.name, facts.kernel), user, btf, json,
                policy::loads_by_token(kDriver.name, facts)};
    std::uint64_t planned = proof.plan.held(Phase::start);
    std::uint64_t ours = permitted();
    std::uint64_t door = proof.plan.held(Phase::door);
    // The door is tried on a process of root's. A user namespace of systemd's lets no root change
    // its groups, and by a token there is no door.
    if ((planned & ~ours) != 0 || (geteuid() != 0 && !proof.by_token)) {
        fprintf(stderr, "privd: --prove-caps needs every capability of the plan; run it as root\n");
        return 1;
    }
    print_beginning(proof);
    std::uint64_t load = planned & ~door;
    try_planned(proof, load);
    if (load != 0)
        try_single(proof, load, ours);
    if (door != 0) {
        if (!json)
            puts("what already runs, opened through /proc:");
        proof.try_door(door, Expected::loads);
        proof.try_door(0, Expected::fails);
    }
    if (json)
        printf("\n], \"agree\": %s}\n", proof.agree ? "true" : "false");
    else
        printf("the plan and the kernel %s\n", proof.agree ? "agree" : "DISAGREE");
    return proof.agree ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    os::inherited();
    Options options = parse(argc, argv);
    if (options.wrong || options.socket || options.peer_user || options.stay) {
        fputs("privd: usage: privd --prove-caps [--driver NAME] [--btf FILE] [--user NAME] "
              "[--json]\n",
              stderr);
        return 2;
    }
    return prove(find_account(options.user), options.btf, options.json);
}
