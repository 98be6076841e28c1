// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/alerter.h"

#include <algorithm>
#include <cerrno>
#include <numeric>

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kDrain{5};

alerts::AlertTemplate template_of(const rules::Rule& rule, filter::Fields& fields) {
    alerts::Alert fixed;
    fixed.rule = rule.name;
    fixed.priority = rule.priority;
    fixed.source = rule.source;
    fixed.tags = rule.tags;
    filter::Format::Problem problem;
    auto made = alerts::AlertTemplate::make(std::move(fixed), rule.output, rule.extra_fields,
                                            fields, problem);
    return std::move(made).value(); // loading has checked it
}

} // namespace

Alerter::Alerter(const config::Settings& settings, std::uint64_t limit)
    : dispatcher_(alerts::style_of(settings), settings.queue_capacity), limit_(limit) {}

os::Result<std::unique_ptr<Alerter>> Alerter::open(Setup& setup, std::uint64_t limit) {
    std::unique_ptr<Alerter> made(new Alerter(setup.settings, limit));
    for (const rules::Rule& rule : setup.rules->rules)
        made->templates_.push_back(template_of(rule, setup.fields));
    auto sinks = alerts::open_sinks(setup.settings);
    if (!sinks)
        return sinks.error();
    made->sinks_ = *std::move(sinks);
    return made;
}

void Alerter::start() {
    for (auto& sink : sinks_)
        dispatcher_.add(std::move(sink));
    sinks_.clear();
}

std::vector<int> Alerter::writable() const {
    std::vector<int> directories;
    for (const auto& sink : sinks_)
        if (sink->directory() >= 0)
            directories.push_back(sink->directory());
    return directories;
}

bool Alerter::alert(const Pipeline::Event& event) {
    for (const filter::RuleId id : event.matched) {
        dispatcher_.send(templates_[id].fill(event.fields, event.view.ts()));
        if (++alerts_ == limit_)
            return false;
    }
    return true;
}

void Alerter::drain() {
    dispatcher_.drain(kDrain);
}

bool Alerter::gone() const {
    const auto outputs = dispatcher_.outputs();
    return !outputs.empty() && std::ranges::all_of(outputs, [](const auto& output) {
        return output.counters.gone != 0;
    });
}

int Alerter::stdout_error() const {
    const auto outputs = dispatcher_.outputs();
    return outputs.size() == 1 && outputs[0].name == "stdout" ? outputs[0].counters.gone : 0;
}

void Alerter::append_statistics(output::Buffer& out) const {
    for (const auto& [name, counters] : dispatcher_.outputs())
        fmt::format_to(fmt::appender(out),
                       "analyzer:   output {}: {} written, {} discarded, {} failed\n", name,
                       counters.written, counters.discarded, counters.failed);
}

void append_rule_statistics(output::Buffer& out, const rules::Engine& rules, std::uint64_t ns) {
    const auto& counts = rules.counts();
    std::vector<std::size_t> order(counts.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    std::size_t silent = 0;
    for (const std::size_t id : order) {
        const rules::Rule& rule = rules.rules().rules[id];
        if (counts[id] == 0) {
            silent += rule.enabled ? 1 : 0;
            continue;
        }
        fmt::format_to(fmt::appender(out), "analyzer:   rule '{}' ({}): {} alerts, {:.2f}/s\n",
                       rule.name, config::priority_name(rule.priority), counts[id],
                       static_cast<double>(counts[id]) * 1e9 /
                           static_cast<double>(std::max<std::uint64_t>(ns, 1)));
    }
    fmt::format_to(fmt::appender(out), "analyzer:   {} rules matched nothing\n", silent);
}

} // namespace tiercel::app
