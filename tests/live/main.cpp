// SPDX-License-Identifier: Apache-2.0
//
// The live suite: system calls are made and the events that they give are compared, parameter by
// parameter. Exit codes: 0 passed, 1 failed, 77 nothing could be tested here.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "kernel/common/abi.h"
#include "tests/live/harness/coverage.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

SourceOptions& source_options() {
    static SourceOptions options{.privd = {}, .tracepoints = TIERCEL_TP_SIGNAL | TIERCEL_TP_PATHS};
    return options;
}

namespace {
std::vector<void (*)()>& preparations() {
    static std::vector<void (*)()> all;
    return all;
}
} // namespace

BeforeSession::BeforeSession(void (*prepare)()) {
    preparations().push_back(prepare);
}

void prepare_session() {
    for (auto* prepare : preparations())
        prepare();
}

Source& session() {
    static Source source(source_options());
    return source;
}

// The name of the driver in test tables.
static std::string_view driver_id() {
    const wire::DriverRow* row = wire::find_row(session().reply().driver);
    return row != nullptr ? row->id : "unknown";
}

std::optional<std::string_view> declared_gap(event::Code code) {
    for (const event::Gap& row : event::gaps())
        if (row.event == code && row.driver == driver_id())
            return row.reason;
    return {};
}

namespace {

constexpr int kSkipped = 77;
constexpr char kHelp[] =
    "live: performs system calls and compares the events that they give\n"
    "  live [--privd PATH] [--driver NAME] [--attach NAME] [doctest's options: -tc=PATTERN, ...]\n"
    "  live [...] --results           prints what came of each event too, for tests/conformance\n"
    "  live --check-table   only whether every event of the table has a test; needs no privilege\n"
    "  live --list-table    the symbol of each event that must have one\n"
    "Exit codes: 0 passed, 1 failed, 2 usage, 77 cannot be tested here.\n";

std::string beside_this_binary(const char* name) {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

enum class Task { run, run_with_results, check_table, list_table };

// Sets `value` to the driver of that name. Returns false if there is none.
bool named(const char* name, wire::Driver& value) {
    const auto found = wire::find_driver(name);
    value = found.value_or(value);
    return found.has_value();
}

// Sets `value` to the way to attach of that name. Returns false if there is none.
bool named(const char* name, wire::Attach& value) {
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(wire::Attach::count); ++i)
        if (std::strcmp(wire::client::name(static_cast<wire::Attach>(i)), name) == 0) {
            value = static_cast<wire::Attach>(i);
            return true;
        }
    return false;
}

// Takes our options out of the command line; what is left is doctest's. False: usage.
bool take_options(int& argc, char** argv, Task& task) {
    int kept = 1;
    bool good = true;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--check-table") {
            task = Task::check_table;
        } else if (option == "--list-table") {
            task = Task::list_table;
        } else if (option == "--results") {
            task = Task::run_with_results;
        } else if (option == "--privd" && i + 1 < argc) {
            source_options().privd = argv[++i];
        } else if (option == "--driver" && i + 1 < argc) {
            good = named(argv[++i], source_options().driver) && good;
        } else if (option == "--attach" && i + 1 < argc) {
            good = named(argv[++i], source_options().attach) && good;
        } else if (option == "--help") {
            good = false;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argc = kept;
    return good;
}

int list_table() {
    for (const event::EventInfo& info : event::events())
        if (info.emitted)
            std::printf("%.*s\n", static_cast<int>(info.symbol.size()), info.symbol.data());
    return 0;
}

int run_all(int argc, char** argv, bool with_results) {
    if (geteuid() != 0) {
        std::printf("SKIPPED: all: events need root\n");
        return kSkipped;
    }
    try {
        prepare_session();
        const wire::Reply& reply = session().reply();
        std::printf("driver %s, attached by %s in %.0f ms\n", driver_id().data(),
                    wire::client::name(reply.attach), static_cast<double>(reply.load_ns) / 1e6);
    } catch (const Unavailable& reason) {
        std::printf("SKIPPED: all: %s\n", reason.what());
        return kSkipped;
    } catch (const std::exception& reason) {
        std::printf("the driver did not start: %s\n", reason.what());
        return 1;
    }
    doctest::Context context(argc, argv);
    context.setOption("no-breaks", true); // a tracer that is under test is no debugger
    const int failed = context.run();
    Coverage& coverage = Coverage::get();
    std::printf("%d skipped\n", coverage.skips());
    if (argc > 1) // a selection owes nothing to the table
        return failed;
    if (with_results)
        coverage.print_results(driver_id().data());
    const int missing = coverage.report_untested() + coverage.report_unseen();
    std::printf("%llu events submitted by the driver, %llu dropped\n",
                static_cast<unsigned long long>(session().submitted()),
                static_cast<unsigned long long>(session().drops()));
    return failed || missing ? 1 : 0;
}

} // namespace
} // namespace tiercel::live

int main(int argc, char** argv) {
    using namespace tiercel::live;
    if (argc > 0 && std::strcmp(argv[0], "zero") == 0)
        return 0; // run by a test of exec, as a program that does nothing
    Task task = Task::run;
    if (!take_options(argc, argv, task)) {
        std::fputs(kHelp, stdout);
        return 2;
    }
    if (source_options().privd.empty())
        source_options().privd = beside_this_binary(
            source_options().driver == tiercel::wire::Driver::userspace ? "tiercel-trace"
                                                                        : "privd");
    // Probes cannot fault a page in. A call that the kernel refuses early leaves its arguments'
    // pages untouched, so all pages of this program are made resident first, as far as the limits
    // allow.
    mlockall(MCL_CURRENT);
    std::setvbuf(stdout, nullptr, _IOLBF,
                 0); // children must not print what the parent has buffered
    switch (task) {
    case Task::check_table: return Coverage::get().report_untested() == 0 ? 0 : 1;
    case Task::list_table: return list_table();
    case Task::run:
    case Task::run_with_results: break;
    }
    return run_all(argc, argv, task == Task::run_with_results);
}
