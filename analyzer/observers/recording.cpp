// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/recording.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>

namespace tiercel::app {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kFlushEvery = 1000 * kMillisecond;
constexpr std::uint64_t kMegabyte = 1'000'000;

bool is_same_file(const std::string& one, const std::string& other) {
    struct stat a {
    }, b{};
    return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

bool wants_capture(const config::Settings& settings, const rules::Rule& rule) {
    return rule.enabled && (rule.capture || settings.capture_all_rules);
}

} // namespace

os::Result<std::unique_ptr<Recording>> Recording::open(const Options& options, const Setup& setup) {
    std::unique_ptr<Recording> made(new Recording(options, setup));
    if (!options.record.empty())
        if (auto opened = made->open_record(); !opened)
            return opened.error();
    if (setup.rules)
        if (auto opened = made->open_captures(); !opened)
            return opened.error();
    if (!made->record_files_ && !made->capture_files_)
        made.reset();
    return made;
}

os::Result<void> Recording::open_record() {
    if (is_same_file(options_.record, options_.replay))
        return os::error("record over the capture that is replayed,", options_.record, EINVAL);
    auto files = capture::FileRing::open(options_.record, options_.record_files);
    if (!files)
        return files.error();
    overwrites_ |= files->size() > 1;
    record_files_ = *std::move(files);
    return {};
}

os::Result<void> Recording::open_captures() {
    const config::Settings& settings = setup_.settings;
    const auto& rules = setup_.rules->rules;
    const auto asking = std::ranges::find_if(
        rules, [&](const rules::Rule& rule) { return wants_capture(settings, rule); });
    if (asking == rules.end())
        return {};
    if (!settings.capture_enabled) {
        if (settings.log_level >= config::Priority::warning)
            fmt::print(stderr,
                       "analyzer: rule '{}' asks for a capture, but captures are off; "
                       "-o capture.enabled=true turns them on\n",
                       asking->name);
        return {};
    }
    auto files = capture::FileRing::open(settings.capture_prefix + ".scap", settings.capture_files);
    if (!files)
        return files.error();
    overwrites_ = true;
    capture_files_ = *std::move(files);
    return {};
}

void Recording::attach(Pipeline& pipeline, const capture::MachineInfo& machine) {
    if (record_files_)
        recorder_.emplace(*std::move(record_files_),
                          capture::Recorder::Limits{.bytes = options_.record_megabytes * kMegabyte,
                                                    .ns = options_.record_seconds * 1'000'000'000},
                          machine);
    if (capture_files_)
        captures_.emplace(*std::move(capture_files_),
                          setup_.settings.capture_before_ms * kMillisecond, machine);
    pipeline.on_arrival([this, &pipeline](const event::EventView& event, std::uint16_t cpu) {
        arrive(event, cpu, pipeline);
    });
    if (captures_)
        pipeline.on_match([this](const Pipeline::Event& event) { match(event); });
}

void Recording::arrive(const event::EventView& event, std::uint16_t cpu, Pipeline& pipeline) {
    if (captures_)
        check(captures_->take(event, cpu, pipeline.state()));
    if (!recorder_)
        return;
    check(recorder_->take(event, cpu, pipeline.state()));
    // -n counts what is shown, or alerts; where there is neither, what is recorded.
    const bool alone = !options_.events && !setup_.rules;
    if (alone && (failed_ || ++events_ == options_.count))
        pipeline.stop();
}

void Recording::match(const Pipeline::Event& event) {
    const config::Settings& settings = setup_.settings;
    for (const filter::RuleId id : event.matched) {
        const rules::Rule& rule = setup_.rules->rules[id];
        if (!captures_ || !wants_capture(settings, rule))
            continue;
        const std::uint64_t ms =
            rule.capture_duration_ms != 0 ? rule.capture_duration_ms : settings.capture_duration_ms;
        auto begun = captures_->trigger(ms * kMillisecond);
        if (!begun)
            check(begun.error());
        else if (!begun->empty() && settings.log_level >= config::Priority::informational)
            fmt::print(stderr, "analyzer: rule '{}' matched: capturing to {}\n", rule.name, *begun);
    }
}

// Whichever it was, both end: they share a disk more often than not.
void Recording::check(const os::Result<void>& result) {
    if (result)
        return;
    os::print("analyzer", result.error(), "nothing more is recorded");
    failed_ = true;
    recorder_.reset();
    captures_.reset();
}

void Recording::flush(std::uint64_t now_ns) {
    if (!recorder_ || now_ns < flushed_ns_ + kFlushEvery)
        return;
    flushed_ns_ = now_ns;
    check(recorder_->flush());
}

bool Recording::finish(state::StateTracker& state) {
    if (recorder_)
        check(recorder_->finish(state));
    if (captures_)
        check(captures_->finish());
    return !failed_;
}

} // namespace tiercel::app
