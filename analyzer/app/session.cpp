// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/session.h"

#include <unistd.h>

#include <cerrno>
#include <thread>

#include "analyzer/app/run.h"
#include "analyzer/observers/alert_observer.h"
#include "analyzer/observers/drop_watch.h"
#include "analyzer/observers/enrichment.h"
#include "analyzer/observers/event_printer.h"
#include "analyzer/observers/incident_page.h"
#include "analyzer/observers/incident_text.h"
#include "analyzer/observers/metrics_server.h"
#include "analyzer/observers/recent_alerts.h"
#include "analyzer/observers/recording.h"
#include "analyzer/observers/restart_report.h"
#include "analyzer/observers/rule_reload.h"
#include "analyzer/observers/rule_report.h"
#include "analyzer/observers/status_line.h"
#include "analyzer/observers/top_page.h"
#include "analyzer/observers/user_names.h"
#include "analyzer/prefilter/explain.h"
#include "analyzer/setup/interest.h"
#include "analyzer/source/live_source.h"
#include "analyzer/source/replay_source.h"

namespace tiercel::app {

namespace {

// What ends a session with wrong configuration or rules. A service must not be started again then,
// and units tell that apart by 2. Replays and -V end as Falco's do, because scripts depend on it.
constexpr int kWrongForService = 2, kWrong = 1;
constexpr int kFailed = 1;

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return kFailed;
}

// Adds the observer unless there was an error or there is nothing to observe (null).
template <typename Made>
os::Result<void> add(os::Result<std::unique_ptr<Made>> made, Run::Observers& observers) {
    if (!made)
        return made.error();
    if (*made)
        observers.push_back(*std::move(made));
    return {};
}

// Adds the observers of the rules' alerts. `recording` knows the captures of alerts; it may be
// null. `warn` becomes the way to send an internal alert.
os::Result<void> add_alerts(const Config& config, Detection& detection, const Recording* recording,
                            DropWatch::Warn& warn, Run::Observers& observers) {
    if (detection.rules && !config.top && !config.gathers()) {
        auto alerts = AlertObserver::open(config, detection);
        if (!alerts)
            return alerts.error();
        warn = [observer = alerts->get()](const auto& what, const auto& message, auto fields) {
            observer->warn(what, message, std::move(fields));
        };
        if (recording != nullptr)
            (*alerts)->set_captures(
                [recording](filter::RuleId rule) { return recording->capture_of(rule); });
        observers.push_back(*std::move(alerts));
        if (!config.events && config.replay.empty() && StatusLine::is_possible() &&
            config.settings.log_level >= config::Priority::informational)
            observers.push_back(std::make_unique<StatusLine>());
    }
    if (config.replay.empty()) {
        observers.push_back(std::make_unique<RestartReport>(warn));
        observers.push_back(std::make_unique<DropWatch>(config.settings, warn));
    }
    return {};
}

// Adds the observers that have a helper process, which a live session needs.
os::Result<void> add_helpers(const Config& config, Detection& detection, RuleReload::Warn warn,
                             Run::Observers& observers) {
    if (!config.replay.empty())
        return {};
    if (auto added = add(UserNames::make(), observers); !added)
        return added;
    if (!detection.rules)
        return {};
    const auto replaced = [&observers] {
        for (const auto& observer : observers)
            observer->on_rules();
    };
    return add(RuleReload::make(config, detection, replaced, std::move(warn)), observers);
}

os::Result<void> add_observers(const Config& config, Detection& detection, Pipeline& pipeline,
                               Run::Observers& observers) {
    // The outputs are opened after the helper processes have started, which must not hold them.
    const auto warn = std::make_shared<DropWatch::Warn>();
    const auto say = [warn](const std::string& what, const std::string& message) {
        if (*warn)
            (*warn)(what, message, {});
    };
    if (auto added = add_helpers(config, detection, say, observers); !added)
        return added;
    if (config.events)
        observers.push_back(std::make_unique<EventPrinter>(config, detection));
    if (auto added = add(IncidentPage::open(config, detection), observers); !added)
        return added;
    if (config.tree || config.timeline)
        observers.push_back(std::make_unique<IncidentText>(config, detection));
    if (detection.rules)
        observers.push_back(std::make_unique<RuleReport>());
    // The recording comes before the alerts, which name the captures that it begins.
    auto recording = Recording::open(config, detection);
    const Recording* captures = recording ? recording->get() : nullptr;
    if (auto added = add(std::move(recording), observers); !added)
        return added;
    if (auto added = add_alerts(config, detection, captures, *warn, observers); !added)
        return added;
    const auto collect = [&observers](output::Metrics& metrics) {
        for (const auto& observer : observers)
            observer->add_metrics(metrics);
    };
    MetricsServer::Page page;
    if (config.settings.metrics_page && detection.rules) {
        auto recent = std::make_unique<RecentAlerts>(detection);
        page = [alerts = recent.get()](const auto& metrics) { return alerts->page(metrics); };
        observers.push_back(std::move(recent));
    }
    if (auto added = add(MetricsServer::make(config.settings, collect, page), observers); !added)
        return added;
    if (config.top)
        if (auto added = add(TopPage::make(config), observers); !added)
            return added;
    if (config.settings.enricher.empty() || !config.replay.empty())
        return {};
    return add(Enrichment::make(config.settings.enricher, pipeline.state().containers()),
               observers);
}

// What to do if a recording or a capture cannot be opened: the analyzer is not root.
std::string_view advice(const Config& config, const os::Error& error) {
    const bool records = !config.record.empty() || !config.settings.capture_directory.empty();
    if (error.number != EACCES || !config.replay.empty() || !records)
        return {};
    return "the analyzer's account may not write there; make a directory for it: "
           "sudo install -d -o tiercel -m 750 DIRECTORY";
}

int watch_live(const Config& config, const Detection& detection, Pipeline& pipeline,
               const Run::Observers& observers, Notify& notify) {
    wire::Request request = config.request;
    complete(request, config, detection);
    auto opened = open_live(config.socket, request, notify);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) {
        fmt::print(stderr, "analyzer: {}\n", refusal->line);
        return 1;
    }
    if (const auto* error = std::get_if<os::Error>(&opened)) {
        const bool absent = error->number == ENOENT || error->number == ECONNREFUSED;
        return fail(*error, absent ? "is privd running? Start 'privd --exec -- analyzer ...'" : "");
    }
    LiveSource source(std::get<Live>(std::move(opened)), pipeline);
    return Run(config, pipeline, source, observers, notify).run();
}

int watch_capture(const Config& config, Pipeline& pipeline, const Run::Observers& observers,
                  Notify& notify) {
    auto source = ReplaySource::open(config.replay, pipeline);
    if (!source)
        return fail(source.error());
    return Run(config, pipeline, *source, observers, notify).run();
}

int watch(const CommandLine& given, Notify& notify) {
    notify.starting("reading the configuration and the rules");
    Findings findings;
    const Config config = make_config(given, findings);
    const bool is_replay = !config.replay.empty();
    if (!findings.good()) {
        fmt::print(stderr, "{}", findings.text(config.settings.log_level));
        return is_replay ? kWrong : kWrongForService;
    }
    if (!is_replay && (getuid() == 0 || geteuid() == 0))
        return fail(os::error("watch", "as root: the analyzer needs no privilege", 0),
                    "start 'privd --exec -- analyzer ...'");
    const auto detection = read_detection(config, findings);
    fmt::print(stderr, "{}", findings.text(config.settings.log_level));
    if (!findings.good())
        return is_replay ? kWrong : kWrongForService;
    Pipeline pipeline(detection->fields);
    pipeline.state().set_memory_limit(config.settings.memory_limit);
    pipeline.state().set_names_as_given(config.settings.paths_as_given);
    pipeline.set_drop_failed(config.drop_failed);
    if (detection->rules)
        pipeline.set_rules(detection->rules, config.settings.match_all ? rules::Matching::all
                                                                       : rules::Matching::first);
    Run::Observers observers;
    if (auto added = add_observers(config, *detection, pipeline, observers); !added)
        return fail(added.error(), advice(config, added.error()));
    notify.starting("attaching the probe");
    return is_replay ? watch_capture(config, pipeline, observers, notify)
                     : watch_live(config, *detection, pipeline, observers, notify);
}

} // namespace

int watch(const CommandLine& given) {
    auto notify = Notify::from_environment();
    if (!notify)
        return fail(notify.error());
    const int code = watch(given, *notify);
    // A manager starts the next process at once, which after a failure would fail at once.
    if (code == kFailed && notify->has_manager() && notify->has_privd())
        std::this_thread::sleep_for(std::chrono::seconds(1));
    return code;
}

int validate(const CommandLine& given) {
    Findings findings;
    const Config config = make_config(given, findings);
    const auto detection = read_detection(config, findings);
    if (config.is_json()) {
        fmt::print("{}\n", findings.json());
    } else {
        fmt::print(stderr, "{}", findings.text());
        if (findings.good())
            fmt::print("{} rules are valid\n",
                       detection->rules ? detection->rules->rules.size() : 0);
    }
    return findings.good() ? 0 : kWrong;
}

int explain_filter(const CommandLine& given) {
    Findings findings;
    const Config config = make_config(given, findings);
    const auto detection = read_detection(config, findings);
    fmt::print(stderr, "{}", findings.text(config.settings.log_level));
    if (!findings.good() || !detection->rules)
        return kWrong;
    fmt::print("{}", prefilter::explain(kernel_filter(config, *detection), *detection->rules,
                                        config.is_json()));
    return 0;
}

} // namespace tiercel::app
