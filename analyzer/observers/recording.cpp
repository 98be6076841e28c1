// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/recording.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "analyzer/output/alerts/alert.h"
#include "shared/escape/escape.h"

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

os::Result<std::unique_ptr<Recording>> Recording::open(const Config& config,
                                                       const Detection& detection) {
    std::unique_ptr<Recording> made(new Recording(config, detection));
    if (!config.record.empty())
        if (auto opened = made->open_record(); !opened)
            return opened.error();
    if (detection.rules)
        if (auto opened = made->open_captures(); !opened)
            return opened.error();
    if (!made->record_files_ && !made->capture_files_)
        made.reset();
    return made;
}

os::Result<void> Recording::open_record() {
    if (is_same_file(config_.record, config_.replay))
        return os::error("record over the capture that is replayed,", config_.record, EINVAL);
    auto files = capture::FileRing::open(config_.record, config_.record_files);
    if (!files)
        return files.error();
    overwrites_ |= files->size() > 1;
    record_files_ = *std::move(files);
    return {};
}

os::Result<void> Recording::open_captures() {
    const config::Settings& settings = config_.settings;
    const auto& rules = detection_.rules->rules;
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
    auto files =
        settings.capture_directory.empty()
            ? capture::FileRing::open(settings.capture_prefix + ".scap", settings.capture_files)
            : capture::FileRing::open_directory(settings.capture_directory, settings.capture_files);
    if (!files)
        return files.error();
    overwrites_ = true;
    capture_files_ = *std::move(files);
    return {};
}

os::Result<void> Recording::attach(Session session) {
    pipeline_ = &session.pipeline;
    const capture::MachineInfo& machine = session.source.machine();
    if (record_files_)
        recorder_.emplace(*std::move(record_files_),
                          capture::Recorder::Limits{.bytes = config_.record_megabytes * kMegabyte,
                                                    .ns = config_.record_seconds * 1'000'000'000},
                          machine);
    if (capture_files_)
        captures_.emplace(*std::move(capture_files_),
                          config_.settings.capture_before_ms * kMillisecond, machine);
    return {};
}

void Recording::add_needs(Needs& needs) const {
    needs.overwrite |= overwrites_;
    if (captures_ && captures_->directory() >= 0)
        needs.renaming.push_back(captures_->directory());
}

std::string_view Recording::capture_of(filter::RuleId rule) const {
    return captures_ && wants_capture(config_.settings, detection_.rules->rules[rule])
               ? captures_->file()
               : std::string_view();
}

void Recording::on_arrival(const event::EventView& event, std::uint16_t cpu) {
    if (captures_)
        check(captures_->take(event, cpu, pipeline_->state()));
    if (!recorder_)
        return;
    check(recorder_->take(event, cpu, pipeline_->state()));
    // -n counts the events printed, or the alerts; if there are neither, the events recorded.
    const bool alone = !config_.events && !detection_.rules;
    if (alone && (failed_ || ++events_ == config_.count))
        pipeline_->stop();
}

void Recording::on_match(const Pipeline::Event& event) {
    const config::Settings& settings = config_.settings;
    for (const filter::RuleId id : event.matched) {
        const rules::Rule& rule = detection_.rules->rules[id];
        if (!captures_ || !wants_capture(settings, rule))
            continue;
        const std::uint64_t ms =
            rule.capture_duration_ms != 0 ? rule.capture_duration_ms : settings.capture_duration_ms;
        auto begun =
            captures_->trigger(ms * kMillisecond, alerts::id_of(event.view.ts(), rule.name));
        if (!begun)
            check(begun.error());
        else if (!begun->empty() && settings.log_level >= config::Priority::informational)
            fmt::print(stderr, "analyzer: rule '{}' matched: capturing to {}\n",
                       escape::as_text(rule.name), *begun);
    }
}

// Both recordings end, because they usually share a disk.
void Recording::check(const os::Result<void>& result) {
    if (result)
        return;
    os::print("analyzer", result.error(), "nothing more is recorded");
    failed_ = true;
    recorder_.reset();
    captures_.reset();
}

void Recording::tick(const Tick& tick) {
    if (!recorder_ || tick.now_ns < flushed_ns_ + kFlushEvery)
        return;
    flushed_ns_ = tick.now_ns;
    check(recorder_->flush());
}

Observer::Outcome Recording::end() {
    if (recorder_)
        check(recorder_->finish(pipeline_->state()));
    if (captures_)
        check(captures_->finish());
    return failed_ ? Outcome::failed : Outcome::good;
}

} // namespace tiercel::app
