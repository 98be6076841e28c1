// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/options.h"

#include <bit>
#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/capture/file_ring.h"
#include "analyzer/setup/selection.h"
#include "kernel/common/abi.h"
#include "shared/os/file.h"
#include "shared/wire/client.h"

namespace tiercel::app {

namespace po = boost::program_options;

namespace {

using Problem = std::optional<std::string>;

po::options_description describe_options() {
    po::options_description what("What to do");
    static const std::string kDriverHelp =
        "the driver, auto by default: " + wire::client::driver_options();
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    const auto texts = [](const char* name) {
        return po::value<std::vector<std::string>>()->composing()->value_name(name);
    };
    what.add_options()(",r", texts("FILE"),
                       "alert by the rules of FILE, or of a directory's *.yaml in the order of "
                       "their names; may be repeated")(
        ",V", "only check rules and configuration; say all that is wrong")(
        "events", "show events, one a line")(
        "top", "show rates by process, event type and rule, each second; alerts are only counted")(
        "json", "as JSON: alerts, events (one object a line), the lists, -V, --explain-caps")(
        "list-syscalls", "list the system calls that --syscalls takes")(
        "list-events", "list the events and their parameters")(
        "list-fields", "list the fields of rules and output templates")(
        "list-operators", "list the operators and transformers of conditions")(
        "markdown", "with --list-events and --list-fields: as Markdown tables")(
        "explain-caps", "say which capabilities each driver needs here, and why")(
        "version", "print the version")("help,h", "print this");
    po::options_description config("Configuration");
    config.add_options()(",c", text("FILE"), "with the keys of falco.yaml")(
        ",o", texts("KEY=VALUE"), "one key, after the file's; may be repeated");
    po::options_description which("Which events");
    which.add_options()(",n", text("COUNT"),
                        "end after COUNT events; with -r and without --events: alerts")(
        ",M", text("SECONDS"), "end after SECONDS")("syscalls", text("A,B,C"),
                                                    "show only events of these system calls")(
        "base-syscalls", text("A,B,!C"),
        "capture these, besides what rules need, in place of what the tables of processes and fds "
        "need; !C: not C, whoever needs it (base_syscalls.custom_set)")(
        "filter", text("CONDITION"), "show only events for which it holds: evt.type=open and ...")(
        "tracepoints", text("LIST"),
        "of signal, switch, page_fault (default: signal); what rules and --filter name is added")(
        "snaplen", text("BYTES"), "I/O data kept of each event (default: 80)");
    po::options_description record("Recording");
    record.add_options()(
        "record", text("FILE"),
        "write all events to a capture; packed if its name ends in .gz; -: standard output")(
        ",C", text("MB"), "begin the next file after MB million bytes")(
        ",G", text("SECONDS"), "begin the next file after SECONDS")(
        ",W", text("COUNT"),
        "files of a recording, numbered; the oldest is overwritten (default with -C, -G: 10)");
    po::options_description how("Where they come from");
    how.add_options()("replay", text("FILE"), "from a capture, packed or not; -: standard input")(
        "driver", text("DRIVER"), kDriverHelp.c_str())(
        "attach", text("HOW"),
        "the modern probe: tracepoint (default), per-syscall, which costs the other calls nothing "
        "but takes longer to begin and end, or auto")(
        "ring-size", text("SIZE"), "of each ring: a power of two, as 8M (default) or 64K")(
        "cpus-per-ring", text("COUNT"), "CPUs that share a ring (default: 2; 0: all share one)")(
        "connect", text("PATH"),
        "privd's socket (default: the one that privd --exec passes, else "
        "/run/tiercel/privd.sock)");
    po::options_description all;
    all.add(what).add(config).add(which).add(record).add(how);
    return all;
}

Problem set_number(const po::variables_map& given, const char* name, std::uint64_t most,
                   std::uint64_t& into) {
    if (given.count(name) == 0)
        return {};
    const auto& text = given[name].as<std::string>();
    const auto value = os::parse_unsigned(text);
    if (!value || *value > most)
        return fmt::format("{}{} is a number up to {}, not '{}'", name[0] == '-' ? "" : "--", name,
                           most, text);
    into = *value;
    return {};
}

Problem set_ring_size(const po::variables_map& given, wire::Request& request) {
    if (given.count("ring-size") == 0)
        return {};
    const auto& text = given["ring-size"].as<std::string>();
    const auto size = parse_size(text);
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    if (!size || !std::has_single_bit(*size) || *size % page != 0 || *size < wire::ring_bytes_min ||
        *size > wire::ring_bytes_max)
        return fmt::format("--ring-size is a power of two from {}K to {}M, not '{}'",
                           wire::ring_bytes_min >> 10, wire::ring_bytes_max >> 20, text);
    request.ring_bytes = static_cast<std::uint32_t>(*size);
    return {};
}

// One of a few names, each with its value.
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

Problem set_driver(const po::variables_map& given, wire::Request& request) {
    using wire::Attach;
    static constexpr std::pair<std::string_view, Attach> kAttachments[] = {
        {"tracepoint", Attach::tracepoint},
        {"per-syscall", Attach::per_syscall},
        {"auto", Attach::automatic}};
    // Attached per syscall, each wanted function takes the kernel about a tenth of a second to let
    // go of (kernel/bpf_modern/README.md): ten seconds that the analyzer would not end.
    request.attach = Attach::tracepoint;
    if (given.count("driver") != 0) {
        const auto& text = given["driver"].as<std::string>();
        const auto driver = wire::find_driver(text);
        if (!driver)
            return fmt::format("--driver is one of {}; not '{}'", wire::client::driver_options(),
                               text);
        request.driver = *driver;
    }
    return set_named(given, "attach", kAttachments, request.attach);
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

Problem set_syscalls(const po::variables_map& given, Options& options) {
    if (given.count("syscalls") == 0)
        return {};
    if (!options.events)
        return "--syscalls says which events --events shows; rules say by themselves what they "
               "need";
    options.syscalls = split_list(given["syscalls"].as<std::string>());
    if (options.syscalls.empty())
        return "--syscalls needs at least one name";
    for (const std::string& name : options.syscalls)
        if (auto problem = check_syscall(name))
            return "--syscalls: " + *problem;
    return {};
}

Problem set_base_syscalls(const po::variables_map& given, Options& options) {
    if (given.count("base-syscalls") == 0)
        return {};
    options.base_syscalls = split_list(given["base-syscalls"].as<std::string>());
    if (options.base_syscalls.empty())
        return "--base-syscalls needs at least one name";
    for (const std::string& name : options.base_syscalls)
        if (auto problem = check_syscall(std::string_view(name).substr(name.starts_with('!'))))
            return "--base-syscalls: " + *problem;
    return {};
}

Problem set_values(const po::variables_map& given, Options& options) {
    wire::Request& request = options.request;
    std::uint64_t snaplen = request.snaplen, cpus = request.cpus_per_ring;
    if (auto problem = set_number(given, "-n", UINT64_MAX, options.count))
        return problem;
    if (auto problem = set_number(given, "-M", 1'000'000'000, options.seconds))
        return problem;
    if (auto problem = set_number(given, "snaplen", wire::snaplen_max, snaplen))
        return problem;
    if (auto problem = set_number(given, "cpus-per-ring", wire::cpus_per_ring_max, cpus))
        return problem;
    request.snaplen = static_cast<std::uint32_t>(snaplen);
    request.cpus_per_ring = static_cast<std::uint32_t>(cpus);
    if (auto problem = set_ring_size(given, request))
        return problem;
    if (auto problem = set_driver(given, request))
        return problem;
    if (auto problem = set_tracepoints(given, request))
        return problem;
    options.driver_given = given.count("driver") != 0;
    options.ring_size_given = given.count("ring-size") != 0;
    if (given.count("connect") != 0)
        options.socket = given["connect"].as<std::string>();
    if (auto problem = set_base_syscalls(given, options))
        return problem;
    return set_syscalls(given, options);
}

Problem set_recording(const po::variables_map& given, Options& options) {
    constexpr std::uint64_t kDefaultFiles = 10;
    if (given.count("record") != 0)
        options.record = given["record"].as<std::string>();
    const bool rotates = given.count("-C") + given.count("-G") > 0;
    if (options.record.empty() && rotates + given.count("-W") > 0)
        return "-C, -G and -W go with --record";
    if (given.count("-W") != 0 && !rotates)
        return "-W goes with -C or -G, which say when the next file begins";
    options.record_files = rotates ? kDefaultFiles : 1;
    if (auto problem = set_number(given, "-C", 1'000'000, options.record_megabytes))
        return problem;
    if (auto problem = set_number(given, "-G", 1'000'000'000, options.record_seconds))
        return problem;
    if (auto problem = set_number(given, "-W", capture::FileRing::kMostFiles, options.record_files))
        return problem;
    if (rotates && options.record_megabytes + options.record_seconds == 0)
        return "-C and -G are numbers from 1";
    if (rotates && options.record_files < 2)
        return "-W is a number from 2: one file is written while the other is kept";
    return {};
}

Problem set_detection(const po::variables_map& given, Options& options) {
    const auto take = [&given](const char* name, auto& into) {
        if (given.count(name) != 0)
            into = given[name].template as<std::decay_t<decltype(into)>>();
    };
    take("-r", options.rules);
    take("-c", options.config);
    take("-o", options.settings);
    take("filter", options.filter);
    take("replay", options.replay);
    if (!options.filter.empty() && !options.events)
        return "--filter says which events --events shows";
    if (!options.replay.empty() &&
        given.count("connect") + given.count("driver") + given.count("base-syscalls") > 0)
        return "--replay has no use for --connect, --driver and --base-syscalls";
    return {};
}

// One thing at a time; asking for help or the version goes before everything.
Problem set_task(const po::variables_map& given, Options& options) {
    using Task = Options::Task;
    if (given.count("json") != 0)
        options.form = Options::Form::json;
    if (given.count("markdown") != 0)
        options.form = Options::Form::markdown;
    static constexpr std::pair<const char*, Task> kTasks[] = {
        {"-V", Task::validate},
        {"list-syscalls", Task::list_syscalls},
        {"list-events", Task::list_events},
        {"list-fields", Task::list_fields},
        {"list-operators", Task::list_operators},
        {"explain-caps", Task::explain_caps}};
    unsigned tasks = 0;
    for (const auto& [name, task] : kTasks) {
        if (given.count(name) == 0)
            continue;
        options.task = task;
        ++tasks;
    }
    options.events = given.count("events") != 0;
    options.top = given.count("top") != 0;
    const bool alerts = given.count("-r") + given.count("-c") + given.count("-o") > 0;
    if (tasks + (options.events ? 1 : 0) + (options.top ? 1 : 0) > 1)
        return "--events, --top, -V, --list-... and --explain-caps exclude each other";
    if (options.form == Options::Form::markdown && options.task != Task::list_events &&
        options.task != Task::list_fields)
        return "--markdown goes with --list-events and --list-fields only";
    if (options.task == Task::list_syscalls && options.form == Options::Form::json)
        return "--list-syscalls has no JSON form; --list-events has";
    const bool records = tasks == 0 && given.count("record") != 0;
    if ((tasks == 0 || options.task == Task::validate) && !options.events && !options.top &&
        !alerts && !records)
        return "nothing to do: -r FILE alerts by rules, --events shows events, --record FILE "
               "writes a capture";
    return {};
}

} // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    unsigned shift = 0;
    if (!text.empty()) {
        const char unit = text.back();
        shift = unit == 'K' || unit == 'k'   ? 10
                : unit == 'M' || unit == 'm' ? 20
                : unit == 'G' || unit == 'g' ? 30
                                             : 0;
    }
    if (shift != 0)
        text.remove_suffix(1);
    const auto number = os::parse_unsigned(text);
    if (!number || *number > (UINT64_MAX >> shift))
        return std::nullopt;
    return *number << shift;
}

std::string help_text() {
    std::ostringstream options;
    options << describe_options();
    return "analyzer " TIERCEL_VERSION
           ": shows what happens on this machine, without any privilege\n"
           "usage: privd --exec -- analyzer -r FILE | --events | --record FILE [OPTION]...\n"
           "       analyzer --replay FILE -r FILE | --events [OPTION]...\n" +
           options.str() +
           "\nSignals: SIGINT and SIGTERM end it; SIGUSR1 prints statistics on stderr; SIGHUP\n"
           "reopens the alert file.\n"
           "Exit codes: 0 done (also when the reader of the output has gone), 1 failure, 2 "
           "usage,\nwrong configuration or rules.\n";
}

std::variant<Options, std::string> parse_options(int argc, const char* const* argv) {
    Options options;
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
        return "there is an argument that belongs to no option";
    } catch (const po::error& error) {
        return std::string(error.what());
    }
    if (given.count("help") != 0 || given.count("version") != 0) {
        options.task = given.count("help") != 0 ? Options::Task::help : Options::Task::version;
        return options;
    }
    if (auto problem = set_task(given, options))
        return *problem;
    if (auto problem = set_detection(given, options))
        return *problem;
    if (auto problem = set_recording(given, options))
        return *problem;
    if (auto problem = set_values(given, options))
        return *problem;
    return options;
}

} // namespace tiercel::app
