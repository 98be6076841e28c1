// SPDX-License-Identifier: Apache-2.0
//
// tiercel-pull: gets signed rules from a server and puts them in place, for `tiercel rules`. Four
// processes share the work. One has the network; this one checks the signature, without the
// network; one unpacks, with a single directory; the analyzer checks the rules. Here: the command
// line, the account, and the order of the steps.
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdio>
#include <optional>

#include "courier/config/file.h"
#include "courier/confine/confine.h"
#include "courier/pull/child.h"
#include "courier/pull/download.h"
#include "courier/pull/signature.h"
#include "courier/pull/store.h"
#include "courier/pull/unpack.h"
#include "policy/privilege/landlock.h"
#include "shared/os/inherited.h"

using namespace tiercel;
using namespace tiercel::courier;

namespace {

constexpr int kFailure = 1, kUsage = 2, kNothingNew = 3;
constexpr unsigned kCheckSeconds = 120;

constexpr char kHelp[] =
    "tiercel-pull " TIERCEL_VERSION ": gets signed rules from a server and puts them in place\n"
    "usage: tiercel-pull [OPTION]... [URL]\n"
    "       tiercel-pull [OPTION]... --rollback\n"
    "--config    the configuration; default: /etc/tiercel/courier.yaml\n"
    "--key       the public key of minisign; default: rules.key of the configuration\n"
    "--analyzer  the program that checks the rules; default: /usr/bin/analyzer\n"
    "--user      the account to become, when run as root; default: tiercel-courier\n"
    "--rollback  put the rules in force that were before\n"
    "--help      print this\n"
    "--version   print the version\n"
    "URL names a .tar.gz or .tar.zst; default: rules.url of the configuration. Its signature is\n"
    "URL.minisig. Exit codes: 0 other rules are in place, 1 failure, the rules stay as they are,\n"
    "2 wrong usage or configuration, 3 there is nothing newer.\n";

int wrong_usage(const char* complaint, const char* what) {
    fprintf(stderr, "tiercel-pull: %s%s; see tiercel-pull --help\n", complaint, what);
    return kUsage;
}

// Prints the error and what is left. Returns the exit code.
int failed(const os::Error& error) {
    os::print("tiercel-pull", error, "the rules stay as they are");
    return kFailure;
}

enum Given : int {
    kUnknown = '?',
    kHelpWanted = 1,
    kVersion,
    kRollback,
    kConfig,
    kKey,
    kAnalyzer,
    kUser,
    kCount
};

constexpr option kOptions[] = {{"config", required_argument, nullptr, kConfig},
                               {"key", required_argument, nullptr, kKey},
                               {"analyzer", required_argument, nullptr, kAnalyzer},
                               {"user", required_argument, nullptr, kUser},
                               {"rollback", no_argument, nullptr, kRollback},
                               {"help", no_argument, nullptr, kHelpWanted},
                               {"version", no_argument, nullptr, kVersion},
                               {}};

// What the command line and the configuration ask for.
struct Task {
    std::string url;
    std::string analyzer;
    Config config;
    PublicKey key;
};

bool read_public_key(const std::string& path, PublicKey& key) {
    const auto text = read_text("tiercel-pull", path);
    if (!text)
        return false;
    const auto read = read_key(*text);
    if (!read)
        fprintf(stderr, "tiercel-pull: %s is no public key of minisign\n", path.c_str());
    else
        key = *read;
    return read.has_value();
}

// Becomes the account, if this is root. Everything after this is done without privilege.
os::Result<void> become(const char* user) {
    if (geteuid() == 0) {
        const passwd* account = getpwnam(user);
        if (account == nullptr)
            return os::error("find the user", user, 0);
        // The bounding set is emptied while this may be done, the rest for the new account.
        if (auto given = give_up_privileges(); !given)
            return given;
        if (setgroups(0, nullptr) != 0 ||
            setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0 ||
            setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0)
            return os::error("become the user", user);
    }
    return give_up_privileges();
}

// Leaves the directory of pulled rules, and starting the analyzer, which inherits it.
os::Result<void> leave_the_network(const Store& store, const std::string& analyzer) {
    const std::string programs = analyzer.substr(0, analyzer.rfind('/') + 1);
    std::vector<os::UniqueFd> open;
    std::vector<policy::Beneath> allowed = {
        {store.directory().get(),
         policy::kReadFiles | policy::kWriteFiles | policy::kRemoveFiles | policy::kArrange}};
    for (const char* path : {"/etc", "/usr", "/lib", "/lib64", "/dev", programs.c_str()}) {
        open.emplace_back(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (open.back().valid())
            allowed.push_back({open.back().get(), policy::kReadFiles | policy::kExecute});
    }
    if (auto confined = policy::restrict_by_landlock(allowed, policy::Network::none); !confined)
        return confined.error();
    return {};
}

// Returns false, after printing why, unless the analyzer would load the rules.
bool check_rules(const Task& task, const Store& store) {
    const std::string path = store.stage_path();
    const os::UniqueFd count(memfd_create("count", MFD_CLOEXEC));
    std::string fault = run_in_child("analyzer", kCheckSeconds, [&] {
        dup2(count.get(), STDOUT_FILENO);
        execl(task.analyzer.c_str(), "analyzer", "-V", "-r", path.c_str(), nullptr);
        os::print("tiercel-pull", os::error("start", task.analyzer), "");
        return 127;
    });
    // With files that have lists and macros alone, an analyzer would not start.
    char said[16] = "";
    if (fault.empty() && pread(count.get(), said, sizeof said - 1, 0) > 0 &&
        std::string_view(said).starts_with("0 rules"))
        fault = "there is no rule in them";
    if (!fault.empty())
        os::write_stderr("tiercel-pull: the rules of %s do not load (%s); the rules stay as they "
                         "are\n",
                         task.url.c_str(), fault.c_str());
    return fault.empty();
}

// Returns the version that the signature vouches for, or prints why it is refused.
std::optional<std::uint64_t> check_signature(const Task& task, const Downloaded& got) {
    const Verified verified = verify(task.key, got.signature, got.tarball);
    if (!verified.fault.empty()) {
        os::write_stderr("tiercel-pull: the signature of %s is refused: %s; the rules stay as they "
                         "are\n",
                         task.url.c_str(), verified.fault.c_str());
        return std::nullopt;
    }
    const auto version = timestamp_of(verified.trusted_comment);
    if (!version || *version == 0)
        os::write_stderr("tiercel-pull: the signature of %s is refused: its trusted comment has no "
                         "timestamp:SECONDS, which minisign writes unless -t replaces it\n",
                         task.url.c_str());
    return version && *version > 0 ? version : std::nullopt;
}

// Returns an exit code if the version is not above what was in force already.
std::optional<int> compare(const Task& task, std::uint64_t version, const Store& store) {
    const auto shown = static_cast<unsigned long long>(version);
    const auto floor = store.floor();
    if (version < floor) {
        os::write_stderr("tiercel-pull: the rules of %s are refused: they were signed at %llu, and "
                         "newer ones (%llu) were in force already\n",
                         task.url.c_str(), shown, static_cast<unsigned long long>(floor));
        return kFailure;
    }
    if (version > floor)
        return std::nullopt;
    os::write_stderr(version == store.current()
                         ? "tiercel-pull: nothing newer: the rules %llu are in place\n"
                         : "tiercel-pull: nothing newer: the rules %llu were rolled back\n",
                     shown);
    return kNothingNew;
}

int say_placed(const Store& store) {
    printf("the rules %llu are in place\n",
           static_cast<unsigned long long>(store.current().value_or(0)));
    return 0;
}

int pull(const Task& task, Store& store) {
    const Downloaded got = download(task.url, task.config.courier);
    if (!got.good)
        return kFailure;
    if (auto left = leave_the_network(store, task.analyzer); !left)
        return failed(left.error());
    const auto version = check_signature(task, got);
    if (!version)
        return kFailure;
    if (const auto code = compare(task, *version, store))
        return *code;
    auto stage = store.stage();
    if (!stage)
        return failed(stage.error());
    if (!unpack(got.tarball, stage->get()) || !check_rules(task, store))
        return kFailure;
    if (auto placed = store.place(*version); !placed)
        return failed(placed.error());
    return say_placed(store);
}

int roll_back(Store& store) {
    if (!store.current() || !store.previous() || store.current() == store.previous())
        return failed(os::error("roll back: there are no rules before these", {}, 0));
    if (auto rolled = store.roll_back(); !rolled)
        return failed(rolled.error());
    return say_placed(store);
}

int run(const char* const* values, const char* url) {
    const auto value = [values](Given given, const char* preset) {
        return values[given] != nullptr ? values[given] : preset;
    };
    if (auto changed = become(value(kUser, "tiercel-courier")); !changed)
        return failed(changed.error());
    Task task;
    if (!read_file("tiercel-pull", value(kConfig, kConfigPath), read_config, task.config))
        return kUsage;
    const Options& options = task.config.courier;
    umask(022); // the analyzer's account reads the rules
    auto store = Store::open(options.text("rules.path"));
    if (!store)
        return failed(store.error());
    if (values[kRollback] != nullptr)
        return roll_back(*store);
    task.url = url != nullptr ? url : options.text("rules.url");
    task.analyzer = value(kAnalyzer, "/usr/bin/analyzer");
    if (task.url.empty())
        return wrong_usage("no URL is given, and the configuration has no rules.url", "");
    if (const std::string wrong = check_url(task.url, options); !wrong.empty())
        return wrong_usage((task.url + ": " + wrong).c_str(), "");
    if (!read_public_key(value(kKey, options.text("rules.key").c_str()), task.key))
        return kUsage;
    if (sodium_init() < 0)
        return failed(os::error("initialise", "libsodium", 0));
    return pull(task, *store);
}

} // namespace

int main(int argc, char** argv) {
    os::inherited();
    const char* values[kCount] = {};
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        if (chosen == kUnknown)
            return wrong_usage("unknown or incomplete option ", argv[optind - 1]);
        values[chosen] = optarg != nullptr ? optarg : "";
    }
    if (values[kHelpWanted] != nullptr || values[kVersion] != nullptr)
        return fputs(values[kHelpWanted] != nullptr ? kHelp : "tiercel-pull " TIERCEL_VERSION "\n",
                     stdout) < 0;
    const int arguments = argc - optind;
    if (arguments > (values[kRollback] != nullptr ? 0 : 1))
        return wrong_usage("unexpected argument ", argv[argc - 1]);
    return run(values, arguments == 1 ? argv[optind] : nullptr);
}
