// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/prefilter/replay.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "analyzer/capture/reader.h"
#include "analyzer/fields/format.h"
#include "analyzer/prefilter/calls.h"
#include "analyzer/rules/output_check.h"
#include "tests/unit/prefilter/evaluate.h"

namespace tiercel::prefilter {

namespace {

rules::Loaded load(const std::vector<std::string>& files, filter::Fields& fields,
                   std::vector<rules::Selection> selections) {
    rules::LoadOptions options;
    options.fields = &fields;
    options.check_output = rules::check_outputs_with(fields);
    options.selections = std::move(selections);
    return rules::load_files(files, options);
}

// The rules and what they say on the events that it is given.
class Judge {
  public:
    Judge(const rules::Loaded& loaded, filter::Fields& fields)
        : values_(fields, state), engine_(loaded.rules, rules::Matching::all) {
        for (const rules::Rule& rule : loaded.rules->rules) {
            filter::Format::Problem problem;
            outputs_.push_back(filter::Format::compile(rule.output, fields, problem));
        }
    }

    void take(const capture::CapturedEvent& event, std::vector<std::string>& alerts) {
        values_.set(event.view, event.num, event.cpu, state.apply(event.view, event.cpu));
        if (event.view.info().origin == event::Origin::ITER)
            return;
        for (const filter::RuleId id : engine_.match(event.view, values_)) {
            std::string text = fmt::format("{} {} {} ", event.view.ts(), event.view.tid(),
                                           engine_.rules().rules[id].name);
            if (outputs_[id])
                outputs_[id]->render(values_, text);
            alerts.push_back(std::move(text));
        }
    }

    state::StateTracker state;

  private:
    filter::EventFields values_;
    rules::RuleEngine engine_;
    std::vector<std::optional<filter::Format>> outputs_;
};

// What the probe tells before the event: the files of some of its descriptors.
std::vector<std::pair<std::int64_t, state::Fd>> find_told(const tiercel_filter& filter,
                                                          const event::EventView& event,
                                                          const state::StateTracker& state) {
    std::vector<std::pair<std::int64_t, state::Fd>> told;
    const Call* call = find_call(event.code());
    const state::Thread* thread = state.find(event.tid());
    if (call == nullptr || thread == nullptr || filter.told[event.code()] == 0)
        return told;
    for (std::size_t i = 1; i < event.info().params.size(); ++i) {
        if (event.info().params[i].type != event::ParamType::FD)
            continue;
        const auto number = event.number<std::int64_t>(static_cast<std::uint32_t>(i));
        const state::Fd* fd = number ? thread->fd(*number) : nullptr;
        if (fd != nullptr && !fd->is_ip() && fd->kind != state::FdKind::unix_socket &&
            fd->kind != state::FdKind::netlink)
            told.emplace_back(*number, *fd);
    }
    return told;
}

} // namespace

std::size_t count_rules(const std::vector<std::string>& rule_files) {
    filter::Fields fields;
    const auto loaded = load(rule_files, fields, {});
    return loaded.rules ? loaded.rules->rules.size() : 0;
}

Outcome compare(const std::vector<std::string>& rule_files, const std::string& capture,
                const std::function<bool(std::size_t)>& is_on, const Change& change,
                std::int64_t session) {
    filter::Fields fields;
    std::vector<rules::Selection> selections;
    {
        filter::Fields all;
        const auto loaded = load(rule_files, all, {});
        if (!loaded.rules)
            throw std::runtime_error("the rules have an error");
        for (std::size_t i = 0; i < loaded.rules->rules.size(); ++i)
            selections.push_back({is_on(i), loaded.rules->rules[i].name, {}});
    }
    const auto loaded = load(rule_files, fields, selections);
    Compiled compiled = compile(*loaded.rules, fields, true, {});
    if (change)
        change(compiled.filter);
    Judge with_all(loaded, fields), with_filter(loaded, fields);
    const auto open_it = [&capture] {
        return os::UniqueFd(open(capture.c_str(), O_RDONLY | O_CLOEXEC));
    };
    capture::Reader reader(open_it(), with_all.state);
    capture::Reader lists(open_it(), with_filter.state); // its events are those of the other reader
    Outcome outcome;
    while (const auto event = reader.next()) {
        const auto same = lists.next();
        const auto told = find_told(compiled.filter, event->view, with_all.state);
        with_all.take(*event, outcome.alerts);
        const bool passed = passes(compiled.filter, event->view, event->cpu, with_all.state);
        if (passed && same) {
            for (const auto& [number, fd] : told)
                with_filter.state.add_fd(event->view.tid(), number, fd);
            with_filter.take(*same, outcome.filtered_alerts);
        }
        const std::uint16_t code = event->view.code();
        if (find_call(code) != nullptr
                ? !state::lives_on(code) && !loaded.rules->interest.codes[code]
                : code == event::GENERIC_X)
            continue; // no driver is asked for it
        const state::Thread* thread = with_all.state.find(event->view.tid());
        if (session != 0 && (thread == nullptr || thread->sid != session))
            continue;
        ++outcome.events;
        outcome.passed += passed ? 1 : 0;
        if (passed)
            ++outcome.passed_by_code[code];
    }
    if (!reader.error().empty() || outcome.events == 0)
        throw std::runtime_error(capture + ": " + reader.error());
    return outcome;
}

} // namespace tiercel::prefilter
