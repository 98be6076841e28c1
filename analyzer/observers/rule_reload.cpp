// SPDX-License-Identifier: Apache-2.0
//
// The files travel as one message: "+", and for each file the lengths of its name and its text,
// the name and the text; or "-" and the errors, if a file cannot be read.
#include "analyzer/observers/rule_reload.h"

#include <fmt/format.h>

#include <algorithm>

#include "analyzer/setup/interest.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

std::string pack(const Config& config) {
    Findings findings;
    const RuleTexts files = read_rule_texts(config, findings);
    if (!findings.good())
        return '-' + findings.text();
    std::string message = "+";
    for (const auto& [name, text] : files)
        message += fmt::format("{}:{}:{}{}", name.size(), text.size(), name, text);
    return message;
}

// Takes "LENGTH:" from the front.
std::size_t take_length(std::string_view& message) {
    const std::size_t colon = std::min(message.find(':'), message.size());
    const auto length = os::parse_unsigned(message.substr(0, colon));
    message.remove_prefix(std::min(colon + 1, message.size()));
    return length.value_or(0);
}

std::string take_text(std::string_view& message, std::size_t length) {
    std::string text(message.substr(0, length));
    message.remove_prefix(text.size());
    return text;
}

RuleTexts unpack(std::string_view message) {
    RuleTexts files;
    while (!message.empty()) {
        const std::size_t name = take_length(message), text = take_length(message);
        std::string first = take_text(message, name);
        files.emplace_back(std::move(first), take_text(message, text));
    }
    return files;
}

} // namespace

os::Result<std::unique_ptr<RuleReload>> RuleReload::make(const Config& config, Detection& detection,
                                                         Replaced replaced, Warn warn) {
    auto helper =
        HelperProcess::start({.name = "tiercel-rules",
                              .answer = [&config](std::string_view) { return pack(config); },
                              .look = [] { return std::string(); }});
    if (!helper)
        return helper.error();
    return std::unique_ptr<RuleReload>(new RuleReload(config, detection, std::move(replaced),
                                                      std::move(warn), *std::move(helper)));
}

os::Result<void> RuleReload::attach(Session session) {
    pipeline_ = &session.pipeline;
    source_ = &session.source;
    session.loop.watch(helper_.socket(), [this] {
        return helper_.read([this](const std::string& message) { take(message); });
    });
    return {};
}

void RuleReload::reopen() {
    if (!helper_.ask("read"))
        fmt::print(stderr, "analyzer: cannot read the rules again: their helper process has "
                           "ended; restart the analyzer\n");
}

void RuleReload::refuse(const std::string& errors) {
    ++refused_;
    fmt::print(stderr, "analyzer: the new rules are not in force; the old ones stay\n");
    warn_("rules refused", "The new rules are wrong, and the old ones stay in force. " + errors);
}

// The probe was loaded for the rules of the start. A service manager that keeps the session starts
// the next analyzer, which has privd load once more while this probe still captures.
void RuleReload::capture_what_is_new() {
    wire::Request wanted = config_.request;
    complete(wanted, config_, detection_);
    if (source_->captures(wanted))
        return;
    if (source_->may_load_again()) {
        fmt::print(stderr, "analyzer: the new rules look at events that the probe was not loaded "
                           "for; starting again, without losing an event\n");
        return pipeline_->stop();
    }
    static constexpr const char* kMessage =
        "The new rules look at events that the probe was not loaded "
        "for; start Tiercel again, or the service: systemctl restart tiercel";
    fmt::print(stderr, "analyzer: {}\n", kMessage);
    warn_("rules need a restart", kMessage);
}

void RuleReload::take(std::string_view message) {
    Findings findings;
    std::string errors;
    if (message.starts_with('+')) {
        message.remove_prefix(1);
        replace_rules(config_, detection_, unpack(message), findings);
        errors = findings.text(config_.settings.log_level);
    } else {
        errors = message.substr(std::min<std::size_t>(message.size(), 1));
        findings.add_error("rules_files", "cannot be read");
    }
    fmt::print(stderr, "{}", errors);
    if (!findings.good())
        return refuse(errors);
    pipeline_->set_rules(detection_.rules, config_.settings.match_all ? rules::Matching::all
                                                                      : rules::Matching::first);
    replaced_();
    capture_what_is_new();
    if (config_.settings.log_level >= config::Priority::informational)
        fmt::print(stderr, "analyzer: {} rules are in force now\n", detection_.rules->rules.size());
}

} // namespace tiercel::app
