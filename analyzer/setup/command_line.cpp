// SPDX-License-Identifier: Apache-2.0
//
// The options of analyzer(1): their help texts, and the checks of each value by itself.
#include "analyzer/setup/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <boost/program_options.hpp>

#include "analyzer/capture/file_ring.h"
#include "analyzer/config/settings.h"
#include "analyzer/setup/selection.h"
#include "kernel/common/abi.h"
#include "shared/document/document.h"
#include "shared/os/file.h"
#include "shared/wire/client.h"

namespace tiercel::app {

namespace po = boost::program_options;

namespace {

using Problem = std::optional<std::string>;

auto text(const char* name) {
    return po::value<std::string>()->value_name(name);
}

auto texts(const char* name) {
    return po::value<std::vector<std::string>>()->composing()->value_name(name);
}

po::options_description describe_tasks() {
    po::options_description what("What to do");
    what.add_options()(",r", texts("FILE"),
                       "alert by the rules of FILE, or of the *.yaml files of a directory in the "
                       "order of their names; may be repeated")(
        ",V", "check the rules and the configuration, print everything that is wrong, and end")(
        "events", "print events, one a line")(
        "top", "show rates by process, event type and rule, each second; alerts are counted only")(
        "report", text("FILE"),
        "with --replay: write what happened to FILE, one page of HTML that needs nothing else")(
        "tree", "print the processes as a tree, with their alerts, at the end")(
        "timeline", "print what happens, one step a line: processes, files, connections, alerts")(
        "json", "print JSON: alerts, events (one object a line), the lists, -V, --explain-caps, "
                "--explain-filter")("list-syscalls", "list the system calls that --syscalls takes")(
        "list-events", "list the events and their parameters")(
        "list-fields", "list the fields of rules and outputs")(
        "list-operators", "list the operators and transformers of conditions")(
        "markdown", "with --list-events and --list-fields: print Markdown tables")(
        "explain-caps", "print which drivers can work on this machine, and why")(
        "explain-filter",
        "print which calls leave the kernel under these rules, and which rule asks for them")(
        "verbose,v", "with --explain-caps: print each capability and what decides, too")(
        "version", "print the version")("help,h", "print this help");
    return what;
}

po::options_description describe_selection() {
    po::options_description which("Which events");
    which.add_options()(",n", text("COUNT"),
                        "end after COUNT events; with -r and without --events: COUNT alerts")(
        ",M", text("SECONDS"), "end after SECONDS")("syscalls", text("A,B,C"),
                                                    "print only events of these system calls")(
        "base-syscalls", text("A,B,!C"),
        "capture these system calls besides those of the rules, instead of those that the tables "
        "of processes and fds need; !C: never capture C (base_syscalls.custom_set)")(
        "paths", text("WHICH"),
        "name opened files by the kernel's paths (kernel, the default), where conditions match the "
        "caller's text too, or by that text alone (as-given)")(
        "no-kernel-filter",
        "capture every call of the kinds that rules look at, also those that no rule can match "
        "(kernel_filter)")("filter", text("CONDITION"),
                           "print only events that match: evt.type=open and ...")(
        "tracepoints", text("LIST"),
        "capture these of signal, switch, page_fault (default: signal), besides those that rules "
        "and --filter name")("snaplen", text("BYTES"),
                             "keep this much I/O data of each event (default: 80)")(
        "args-max", text("BYTES"),
        "keep this much of a command line, its two halves if it is longer: 4096 (default) to "
        "32768")(
        "container", text("NAME"),
        "with --report, --tree, --timeline: only what happens in this container (name or id)")(
        "user", text("NAME"), "the same for what this user does (name or number)")(
        "since", text("TIME"),
        "the same from TIME on, local: 17:35, 17:35:42 or \"2026-01-31 17:35\"");
    return which;
}

po::options_description describe_options() {
    static const std::string kDriverHelp =
        "the driver (default: auto), one of " + wire::client::driver_options();
    po::options_description config("Configuration");
    config.add_options()(",c", text("FILE"),
                         "read the configuration from FILE, which has the keys of falco.yaml")(
        ",o", texts("KEY=VALUE"), "set a key, after those of the file; may be repeated")(
        "memory", text("SIZE"),
        "the most memory for what is known of processes and files (default: 256M); above it, idle "
        "processes are forgotten first (memory_limit)");
    po::options_description record("Recording");
    record.add_options()("record", text("FILE"),
                         "write all events to a capture; FILE is compressed if its name ends in "
                         ".gz; -: standard output")(",C", text("MB"),
                                                    "begin the next file after MB million bytes")(
        ",G", text("SECONDS"), "begin the next file after SECONDS")(
        ",W", text("COUNT"),
        "write COUNT numbered files, then overwrite the oldest (default with -C, -G: 10)")(
        "capture-alerts", text("DIR"),
        "write the events around each alert to a capture in DIR, named by the alert (capture.*)");
    po::options_description how("Source of the events");
    how.add_options()("replay", text("FILE"),
                      "read a capture instead of live events; -: standard input")(
        "driver", text("DRIVER"), kDriverHelp.c_str())(
        "attach", text("HOW"),
        "how the modern probe attaches: tracepoint (default); per-syscall, which makes other "
        "system calls cost nothing but starts and ends slowly; or auto")(
        "ring-size", text("SIZE"), "the size of each ring, a power of two: 8M (default), 64K, ...")(
        "cpus-per-ring", text("COUNT"), "how many CPUs share a ring (default: 2; 0: all)")(
        "connect", text("PATH"),
        "privd's socket (default: the one that privd --exec passes, else "
        "/run/tiercel/privd.sock)");
    po::options_description all;
    all.add(describe_tasks()).add(config).add(describe_selection()).add(record).add(how);
    return all;
}

template <typename Number>
Problem set_number(const po::variables_map& given, const char* name, std::uint64_t most,
                   Number& into) {
    if (given.count(name) == 0)
        return {};
    const auto& text = given[name].as<std::string>();
    const auto value = os::parse_unsigned(text);
    if (!value || *value > most)
        return fmt::format("{}{} is a number up to {}, not '{}'", name[0] == '-' ? "" : "--", name,
                           most, text);
    if constexpr (std::is_same_v<Number, std::uint64_t>)
        into = *value;
    else
        into = static_cast<std::uint32_t>(*value); // `most` fits
    return {};
}

Problem set_ring_size(const po::variables_map& given, CommandLine& line) {
    if (given.count("ring-size") == 0)
        return {};
    const auto& text = given["ring-size"].as<std::string>();
    const auto size = config::read_size(text);
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    if (!size || !std::has_single_bit(*size) || *size % page != 0 || *size < wire::kRingBytesMin ||
        *size > wire::kRingBytesMax)
        return fmt::format("--ring-size is a power of two from {}K to {}M, not '{}'",
                           wire::kRingBytesMin >> 10, wire::kRingBytesMax >> 20, text);
    line.ring_bytes = static_cast<std::uint32_t>(*size);
    return {};
}

Problem set_memory(const po::variables_map& given, CommandLine& line) {
    if (given.count("memory") == 0)
        return {};
    const auto& text = given["memory"].as<std::string>();
    line.memory = config::read_size(text);
    if (!line.memory || *line.memory < config::kLeastMemory || *line.memory > config::kMostMemory)
        return fmt::format("--memory is a size from {}M to {}G, not '{}'",
                           config::kLeastMemory >> 20, config::kMostMemory >> 30, text);
    return {};
}

// Stores the value of one of a few names.
template <typename Value, std::size_t N>
Problem set_named(const po::variables_map& given, const char* name,
                  const std::pair<std::string_view, Value> (&choices)[N], Value& into) {
    if (given.count(name) == 0)
        return {};
    const auto& text = given[name].as<std::string>();
    std::string names;
    for (const auto& [choice, value] : choices) {
        if (choice == text) {
            into = value;
            return {};
        }
        fmt::format_to(std::back_inserter(names), "{}{}", names.empty() ? "" : ", ", choice);
    }
    return fmt::format("--{} is one of {}; not '{}'", name, names, text);
}

Problem set_driver(const po::variables_map& given, CommandLine& line) {
    using wire::Attach;
    static constexpr std::pair<std::string_view, Attach> kAttachments[] = {
        {"tracepoint", Attach::tracepoint},
        {"per-syscall", Attach::per_syscall},
        {"auto", Attach::automatic}};
    // With per-syscall attachment the kernel needs about a tenth of a second to detach from each
    // function (kernel/bpf_modern/README.md), so that the analyzer would take ten seconds to end.
    line.request.attach = Attach::tracepoint;
    if (given.count("driver") != 0) {
        const auto& text = given["driver"].as<std::string>();
        const auto driver = wire::find_driver(text);
        if (!driver)
            return fmt::format("--driver is one of {}; not '{}'", wire::client::driver_options(),
                               text);
        line.driver = driver;
    }
    return set_named(given, "attach", kAttachments, line.request.attach);
}

Problem set_tracepoints(const po::variables_map& given, wire::Request& request) {
    request.tracepoints = TIERCEL_TP_SIGNAL;
    if (given.count("tracepoints") == 0)
        return {};
    request.tracepoints = 0;
    for (const std::string& name : split_list(given["tracepoints"].as<std::string>())) {
        if (name == "signal")
            request.tracepoints |= TIERCEL_TP_SIGNAL;
        else if (name == "switch")
            request.tracepoints |= TIERCEL_TP_SWITCH;
        else if (name == "page_fault")
            request.tracepoints |= TIERCEL_TP_PAGE_FAULT;
        else
            return fmt::format("--tracepoints takes signal, switch and page_fault, not '{}'", name);
    }
    return {};
}

Problem set_syscalls(const po::variables_map& given, CommandLine& line) {
    if (given.count("syscalls") == 0)
        return {};
    if (!line.events)
        return "--syscalls needs --events; rules themselves say which system calls they need";
    line.syscalls = split_list(given["syscalls"].as<std::string>());
    if (line.syscalls.empty())
        return "--syscalls needs at least one name";
    for (const std::string& name : line.syscalls)
        if (auto problem = check_syscall(name))
            return "--syscalls: " + *problem;
    return {};
}

Problem set_base_syscalls(const po::variables_map& given, CommandLine& line) {
    if (given.count("base-syscalls") == 0)
        return {};
    line.base_syscalls = split_list(given["base-syscalls"].as<std::string>());
    if (line.base_syscalls.empty())
        return "--base-syscalls needs at least one name";
    for (const std::string& name : line.base_syscalls)
        if (auto problem = check_syscall(std::string_view(name).substr(name.starts_with('!'))))
            return "--base-syscalls: " + *problem;
    return {};
}

Problem set_paths(const po::variables_map& given, CommandLine& line) {
    static constexpr std::pair<std::string_view, bool> kPaths[] = {{"kernel", false},
                                                                   {"as-given", true}};
    bool as_given = false;
    if (auto problem = set_named(given, "paths", kPaths, as_given))
        return problem;
    if (given.count("paths") != 0)
        line.paths_as_given = as_given;
    return {};
}

Problem set_values(const po::variables_map& given, CommandLine& line) {
    if (auto problem = set_number(given, "-n", UINT64_MAX, line.count))
        return problem;
    if (auto problem = set_number(given, "-M", 1'000'000'000, line.seconds))
        return problem;
    if (auto problem = set_number(given, "snaplen", wire::kSnaplenMax, line.snaplen))
        return problem;
    if (auto problem = set_number(given, "args-max", wire::kArgsMax, line.args_max))
        return problem;
    if (auto problem =
            set_number(given, "cpus-per-ring", wire::kCpusPerRingMax, line.cpus_per_ring))
        return problem;
    if (auto problem = set_ring_size(given, line))
        return problem;
    if (auto problem = set_memory(given, line))
        return problem;
    if (auto problem = set_driver(given, line))
        return problem;
    if (auto problem = set_tracepoints(given, line.request))
        return problem;
    if (auto problem = set_paths(given, line))
        return problem;
    if (given.count("connect") != 0)
        line.socket = given["connect"].as<std::string>();
    if (auto problem = set_base_syscalls(given, line))
        return problem;
    return set_syscalls(given, line);
}

Problem set_recording(const po::variables_map& given, CommandLine& line) {
    constexpr std::uint64_t kDefaultFiles = 10;
    if (given.count("record") != 0)
        line.record = given["record"].as<std::string>();
    const bool rotates = given.count("-C") + given.count("-G") > 0;
    if (line.record.empty() && rotates + given.count("-W") > 0)
        return "-C, -G and -W need --record";
    if (given.count("-W") != 0 && !rotates)
        return "-W needs -C or -G, which say when the next file begins";
    line.record_files = rotates ? kDefaultFiles : 1;
    if (auto problem = set_number(given, "-C", 1'000'000, line.record_megabytes))
        return problem;
    if (auto problem = set_number(given, "-G", 1'000'000'000, line.record_seconds))
        return problem;
    if (auto problem = set_number(given, "-W", capture::FileRing::kMostFiles, line.record_files))
        return problem;
    if (rotates && line.record_megabytes + line.record_seconds == 0)
        return "-C and -G are numbers from 1";
    if (rotates && line.record_files < 2)
        return "-W is a number from 2: one file is written while the other is kept";
    return {};
}

Problem set_detection(const po::variables_map& given, CommandLine& line) {
    const auto take = [&given](const char* name, auto& into) {
        if (given.count(name) != 0)
            into = given[name].template as<std::decay_t<decltype(into)>>();
    };
    take("-r", line.rules);
    take("-c", line.config_file);
    take("-o", line.keys);
    take("filter", line.filter);
    take("replay", line.replay);
    take("capture-alerts", line.capture_alerts);
    line.no_kernel_filter = given.count("no-kernel-filter") != 0;
    if (!line.filter.empty() && !line.events)
        return "--filter needs --events";
    if (!line.replay.empty() &&
        given.count("connect") + given.count("driver") + given.count("base-syscalls") > 0)
        return "--connect, --driver and --base-syscalls cannot be used with --replay";
    return {};
}

// The options of --report, --tree and --timeline.
Problem set_incident(const po::variables_map& given, CommandLine& line) {
    const auto take = [&given](const char* name, std::string& into) {
        if (given.count(name) != 0)
            into = given[name].as<std::string>();
    };
    take("report", line.report);
    take("container", line.container);
    take("user", line.user);
    line.tree = given.count("tree") != 0;
    line.timeline = given.count("timeline") != 0;
    if (!line.report.empty() && line.replay.empty())
        return "--report needs --replay: record a capture first";
    if (given.count("container") + given.count("user") + given.count("since") > 0 &&
        !line.gathers())
        return "--container, --user and --since need --report, --tree or --timeline";
    if (given.count("since") == 0)
        return {};
    const auto& text = given["since"].as<std::string>();
    line.since = Since::parse(text);
    if (!line.since)
        return "--since takes 17:35, 17:35:42 or \"2026-01-31 17:35\", not '" + text + "'";
    return {};
}

// One task at a time. --help and --version are looked at before.
Problem set_task(const po::variables_map& given, CommandLine& line) {
    using Task = CommandLine::Task;
    if (given.count("json") != 0)
        line.form = Form::json;
    if (given.count("markdown") != 0)
        line.form = Form::markdown;
    static constexpr std::pair<const char*, Task> kTasks[] = {
        {"-V", Task::validate},
        {"list-syscalls", Task::list_syscalls},
        {"list-events", Task::list_events},
        {"list-fields", Task::list_fields},
        {"list-operators", Task::list_operators},
        {"explain-caps", Task::explain_caps},
        {"explain-filter", Task::explain_filter}};
    unsigned tasks = 0;
    for (const auto& [name, task] : kTasks) {
        if (given.count(name) == 0)
            continue;
        line.task = task;
        ++tasks;
    }
    line.details = given.count("verbose") != 0;
    line.events = given.count("events") != 0;
    line.top = given.count("top") != 0;
    const bool alerts = given.count("-r") + given.count("-c") + given.count("-o") > 0;
    const std::size_t incident =
        given.count("report") + given.count("tree") + given.count("timeline");
    if (tasks + (line.events ? 1 : 0) + (line.top ? 1 : 0) + incident > 1)
        return "--events, --top, --report, --tree, --timeline, -V, --list-... and --explain-... "
               "exclude each other: give one";
    if (line.form == Form::markdown && line.task != Task::list_events &&
        line.task != Task::list_fields)
        return "--markdown works with --list-events and --list-fields only";
    if (line.task == Task::list_syscalls && line.form == Form::json)
        return "--list-syscalls has no JSON form; use --list-events --json";
    const bool records = tasks == 0 && given.count("record") != 0;
    const bool watches = line.events || line.top || incident > 0;
    const bool needs_rules = line.task == Task::validate || line.task == Task::explain_filter;
    if ((tasks == 0 || needs_rules) && !watches && !alerts && !records)
        return "nothing to do: give -r FILE to alert by rules, --events to print events, or "
               "--record FILE to write a capture";
    return {};
}

} // namespace

std::string help_text() {
    std::ostringstream options;
    options << describe_options();
    return "analyzer " TIERCEL_VERSION
           ": detects suspicious activity by rules, without any privilege\n"
           "usage: privd --exec -- analyzer -r FILE | --events | --record FILE [OPTION]...\n"
           "       analyzer --replay FILE -r FILE | --events [OPTION]...\n" +
           options.str() +
           "\nSignals: SIGINT and SIGTERM end the analyzer; SIGUSR1 prints statistics on standard\n"
           "error; SIGHUP opens the alert file and reads the rules again.\n"
           "Exit codes: 0 done (also if the reader of the output has ended), 1 failure, 2 wrong\n"
           "usage; wrong configuration, rules or filter: 2 live, 1 with -V and --replay.\n";
}

std::variant<CommandLine, std::string> parse_command_line(int argc, const char* const* argv) {
    CommandLine line;
    po::variables_map given;
    try {
        using namespace po::command_line_style;
        const int style = unix_style & ~allow_guessing;
        const po::positional_options_description none;
        po::store(po::command_line_parser(argc, argv)
                      .options(describe_options())
                      .positional(none)
                      .style(style)
                      .run(),
                  given);
    } catch (const po::too_many_positional_options_error&) {
        return "an argument belongs to no option";
    } catch (const po::error& error) {
        return std::string(error.what());
    }
    if (given.count("help") != 0 || given.count("version") != 0) {
        line.task = given.count("help") != 0 ? CommandLine::Task::help : CommandLine::Task::version;
        return line;
    }
    if (auto problem = set_task(given, line))
        return *problem;
    if (auto problem = set_detection(given, line))
        return *problem;
    if (auto problem = set_incident(given, line))
        return *problem;
    if (auto problem = set_recording(given, line))
        return *problem;
    if (auto problem = set_values(given, line))
        return *problem;
    return line;
}

} // namespace tiercel::app
