// SPDX-License-Identifier: Apache-2.0
//
// privd-prove, which `privd --prove-caps` runs: the plan against the kernel. Tries the real load
// and attach in a child for the plan's set, for it less each capability, and for each capability
// alone, and prints the kernel's answers. Exit code: 0 the kernel agrees with the plan, 1 it does
// not, or nothing could be tried, 2 usage.
#include "privd/privd.h"

#include <bit>
#include <cstdio>
#include <cstring>
#include <getopt.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace tiercel;
using namespace tiercel::privd;

namespace {

using policy::Phase;

// What the plan says about a set; of CAP_SYS_ADMIN alone, which includes much, it says nothing.
enum class Expected { loads, fails, either };

// The kernel's answer to a load with at most `mask`, or an error of ours before it was asked.
wire::Reply attempt(Account user, std::uint64_t mask, bool raise) {
    wire::Reply reply;
    reply.status = wire::Status::count; // stays so when the child could not even try
    int ends[2];
    if (pipe(ends) < 0)
        return reply;
    os::UniqueFd in(ends[0]), out(ends[1]);
    pid_t child = fork();
    if (child == 0) {
        static Handover handover;
        rlimit infinite{RLIM_INFINITY, RLIM_INFINITY};
        become(user, mask);
        if (raise)
            setrlimit(RLIMIT_MEMLOCK, &infinite); // whether it mattered, the load tells
        reply = start_modern(wire::Request{}, getpid(), handover);
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

// Tries one set and prints the row. Whether the kernel agrees with what is expected.
bool try_set(Account user, const policy::Plan& plan, std::uint64_t mask, Expected expected,
             bool json, bool first) {
    wire::Reply reply = attempt(user, mask, plan.raise_memlock);
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
    return agrees;
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

int prove(Account user, bool json) {
    policy::Plan plan = policy::plan(policy::Driver::modern, policy::gather_facts());
    std::uint64_t planned = plan.held(Phase::start), ours = permitted();
    if (planned & ~ours || geteuid() != 0) {
        fprintf(stderr, "privd: --prove-caps needs every capability of the plan; run it as root\n");
        return 1;
    }
    if (json)
        printf("{\"driver\": \"modern\", \"attempts\": [");
    else
        printf("driver modern, tried as uid %u:\n", user.uid);
    bool agree = try_set(user, plan, planned, Expected::loads, json, true);
    for (int capability : policy::candidates)
        if (std::uint64_t rest = planned & ~(std::uint64_t{1} << capability); rest != planned)
            agree &= try_set(user, plan, rest, Expected::fails, json, false);
    for (int capability : policy::candidates) {
        std::uint64_t alone = std::uint64_t{1} << capability;
        bool shown = alone == planned || (alone & planned && std::popcount(planned) == 2);
        if (!shown && ours & alone) // what we do not have, we cannot try
            agree &= try_set(user, plan, alone,
                             capability == CAP_SYS_ADMIN ? Expected::either : Expected::fails, json,
                             false);
    }
    if (std::popcount(planned) != 1)
        agree &= try_set(user, plan, 0, Expected::fails, json, false);
    if (json)
        printf("\n], \"agree\": %s}\n", agree ? "true" : "false");
    else
        printf("the plan and the kernel %s\n", agree ? "agree" : "DISAGREE");
    return agree ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    constexpr option table[] = {{"user", required_argument, nullptr, 'u'},
                                {"driver", required_argument, nullptr, 'D'},
                                {"json", no_argument, nullptr, 'j'},
                                {"prove-caps", no_argument, nullptr, 'c'},
                                {}};
    const char* values[128] = {}; // by the option's letter
    for (int chosen; (chosen = getopt_long(argc, argv, "", table, nullptr)) != -1;) {
        if (chosen == '?' || (chosen == 'D' && std::strcmp(optarg, "modern") != 0)) {
            fprintf(stderr,
                    "privd: usage: privd --prove-caps [--driver modern] [--user NAME] [--json]\n");
            return 2;
        }
        values[chosen] = optarg ? optarg : "";
    }
    return prove(find_account(values['u']), values['j'] != nullptr);
}
