// SPDX-License-Identifier: Apache-2.0
//
// privd-prove, which `privd --prove-caps` runs: the plan against the kernel. Tries the real load
// and attach in a child for the plan's set, for it less each capability, and for each capability
// alone, and prints the kernel's answers. Exit code: 0 the kernel agrees with the plan, 1 it does
// not, or nothing could be tried, 2 usage.
#include "privd/options.h"

#include <bit>
#include <cstdio>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace tiercel;
using namespace tiercel::privd;

namespace {

using policy::Phase;

// What the plan says about a set; of CAP_SYS_ADMIN alone, which includes much, it says nothing.
enum class Expected { loads, fails, either };

struct Proof {
    policy::Plan plan = {};
    Account user = {}; // as whom loads are tried
    const char* btf = nullptr;
    bool json = false;
    bool agree = true;
    bool first = true; // row

    // Tries a load with one set and prints the row.
    void try_set(std::uint64_t mask, Expected expected);
    // The same of the door, on a process of root's.
    void try_door(std::uint64_t mask, Expected expected);
    void print_row(std::uint64_t mask, Expected expected, const wire::Reply& reply);
};

// What `work` answers in a process with at most `mask`, or a status of its own when that could not
// even be tried.
template <typename Work>
wire::Reply ask_child(const Proof& proof, std::uint64_t mask, Work work) {
    wire::Reply reply;
    reply.status = wire::Status::count;
    int ends[2];
    if (pipe(ends) < 0)
        return reply;
    os::UniqueFd in(ends[0]), out(ends[1]);
    pid_t child = fork();
    if (child == 0) {
        reply = driver.prepare(proof.btf, proof.user);
        become(proof.user, mask);
        if (reply.status == wire::Status::ok)
            reply = work();
        _exit(write(out.get(), &reply, sizeof reply) == sizeof reply ? 0 : 1);
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
    for (cap_value_t capability = 0; capability <= CAP_LAST_CAP; ++capability)
        if (mask >> capability & 1) {
            char* name = cap_to_name(capability);
            column += printf(json ? "%s\"%s\"" : "%s%s", column ? ", " : "", name);
            cap_free(name);
        }
    if (!json)
        printf("%*s", column < 34 ? 34 - column : 1, column ? "" : "(none)");
}

void Proof::print_row(std::uint64_t mask, Expected expected, const wire::Reply& reply) {
    bool loads = reply.status == wire::Status::ok;
    bool tried = reply.status != wire::Status::count;
    bool agrees = tried && (expected == Expected::either || loads == (expected == Expected::loads));
    const char* wish = expected == Expected::loads   ? "loads"
                       : expected == Expected::fails ? "fails"
                                                     : "either";
    const char* answer = !tried ? "not tried" : loads ? "loads" : strerrorname_np(reply.error);
    if (json)
        printf("%s\n  {\"capabilities\": [", first ? "" : ",");
    print_set(mask, json);
    if (json)
        printf("], \"plan\": \"%s\", \"kernel\": \"%s\", \"agree\": %s}", wish, answer,
               agrees ? "true" : "false");
    else
        printf(" plan: %-7s kernel: %-10s %s\n", wish, answer, agrees ? "agree" : "DISAGREE");
    agree &= agrees;
    first = false;
}

void Proof::try_set(std::uint64_t mask, Expected expected) {
    print_row(mask, expected, ask_child(*this, mask, [this] {
                  static Handover handover;
                  rlimit infinite{RLIM_INFINITY, RLIM_INFINITY};
                  if (plan.raise_memlock)
                      setrlimit(RLIMIT_MEMLOCK, &infinite); // whether it mattered, the load tells
                  return driver.start(wire::Request{}, getpid(), handover);
              }));
}

void Proof::try_door(std::uint64_t mask, Expected expected) {
    print_row(mask, expected, ask_child(*this, mask, [root = getpid()] {
                  wire::Reply reply;
                  bool opened =
                      open_door({.pid = root, .file = wire::ProcFile::exe}, reply.error).valid();
                  reply.status = opened ? wire::Status::ok : wire::Status::load_failed;
                  return reply;
              }));
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

// The plan's set for the load, it less each capability, and each capability alone.
void try_loads(Proof& proof, std::uint64_t planned, std::uint64_t ours) {
    proof.try_set(planned, Expected::loads);
    if (planned == 0)
        return;
    for (const auto& [capability, text] : wire::capability_table)
        if (planned & bit(capability))
            proof.try_set(planned & ~bit(capability), Expected::fails);
    if (planned & bit(CAP_SYS_ADMIN)) // which the plan has only where these are not enough
        proof.try_set((planned & ~bit(CAP_SYS_ADMIN)) | bit(CAP_BPF) | bit(CAP_PERFMON),
                      Expected::fails);
    for (const auto& [capability, text] : wire::capability_table) {
        std::uint64_t alone = bit(capability);
        bool shown = alone == planned || (alone & planned && std::popcount(planned) == 2);
        if (!shown && ours & alone) // what we do not have, we cannot try
            proof.try_set(alone, capability == CAP_SYS_ADMIN ? Expected::either : Expected::fails);
    }
    if (std::popcount(planned) != 1)
        proof.try_set(0, Expected::fails);
}

int prove(Account user, const char* btf, bool json) {
    Proof proof{plan_here(), user, btf, json};
    std::uint64_t planned = proof.plan.held(Phase::start), ours = permitted();
    std::uint64_t door = proof.plan.held(Phase::door);
    if (planned & ~ours || geteuid() != 0) {
        fprintf(stderr, "privd: --prove-caps needs every capability of the plan; run it as root\n");
        return 1;
    }
    const char* name = wire::option_of(driver.name).data();
    printf(json ? "{\"driver\": \"%s\", \"attempts\": [" : "driver %s, tried as uid %u:\n", name,
           user.uid);
    try_loads(proof, planned & ~door, ours);
    if (door) {
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
    const char* values[128] = {};
    if (parse(argc, argv, values) || values['s'] || values['p'] || values['S']) {
        fputs("privd: usage: privd --prove-caps [--driver NAME] [--btf FILE] [--user NAME] "
              "[--json]\n",
              stderr);
        return 2;
    }
    return prove(find_account(values['u']), values['b'], values['j'] != nullptr);
}
