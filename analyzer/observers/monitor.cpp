// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/monitor.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "analyzer/output/escape.h"
#include "analyzer/output/event_line.h"
#include "analyzer/output/metrics.h"
#include "analyzer/service/clock.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPage{1};
constexpr std::string_view kClear = "\x1b[2J", kPageEnd = "\x1b[0m\r\n";

// The beginning of a file of /proc that is open: its text is made anew at each read from offset 0.
std::string_view reread(const os::UniqueFd& file, std::span<char> buffer) {
    if (!file.valid())
        return {};
    const ssize_t got = pread(file.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

// The whole number that follows `name`, or begins the text when that is empty.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
    const std::size_t at = name.empty() ? 0 : text.find(name);
    if (at == std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(at + name.size());
    const std::size_t end = text.find_first_not_of("0123456789");
    return end == std::string_view::npos ? std::nullopt : os::parse_unsigned(text.substr(0, end));
}

} // namespace

os::Result<std::unique_ptr<Monitor>> Monitor::make(const Options& options, Pipeline& pipeline,
                                                   const Source& source, const Alerter* alerter,
                                                   Loop& loop) {
    auto socket = inherited_listener();
    if (!socket)
        return socket.error();
    std::unique_ptr<Monitor> made(new Monitor(pipeline, source, alerter));
    made->begun_ns_ = now_ns(CLOCK_MONOTONIC);
    if (socket->valid()) {
        auto listener =
            HttpListener::take(*std::move(socket), [monitor = made.get()](std::string_view path) {
                return monitor->answer(path);
            });
        if (!listener)
            return listener.error();
        made->listener_.emplace(*std::move(listener));
        // Where these cannot be read, what they tell is left out.
        made->statm_ = os::UniqueFd(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
        made->stat_ = os::UniqueFd(open("/proc/stat", O_RDONLY | O_CLOEXEC));
        loop.watch(made->listener_->ready(), [monitor = made.get()] {
            monitor->listener_->on_ready(now_ns(CLOCK_MONOTONIC));
            return true;
        });
    }
    if (options.top) {
        made->show_top();
        loop.every(kPage, [monitor = made.get()] { monitor->draw(); });
    }
    return made;
}

void Monitor::show_top() {
    top_.emplace();
    if (winsize window{}; ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        size_ = {window.ws_col, window.ws_row};
    output::append(out_.buffer(), kClear);
    pipeline_.on_event([this](const Pipeline::Event& event) {
        const state::Thread* thread = event.state.current().thread;
        top_->count(thread != nullptr && !thread->comm.empty() ? thread->comm.view() : "<NA>",
                    output::type_of(event.view));
    });
    pipeline_.on_match([this](const Pipeline::Event& event) {
        for (const filter::RuleId rule : event.matched)
            top_->match(pipeline_.rules()->rules().rules[rule].name);
    });
}

void Monitor::batch_done() {
    if (pipeline_.events() == measured_at_)
        return;
    measured_at_ = pipeline_.events();
    const std::uint64_t now = now_ns(CLOCK_REALTIME),
                        event = pipeline_.state().previous_event_time();
    lag_ns_ = event != 0 && now > event ? now - event : 0;
}

void Monitor::draw() {
    const auto live = source_.statistics();
    output::Top::Totals totals{.events = pipeline_.events(),
                               .drops = live ? live->counters.total().dropped() : 0,
                               .ns = now_ns(CLOCK_MONOTONIC),
                               .lag_ns = lag_ns_,
                               .ring_used = live ? live->rings.fullest() : 0,
                               .ring_bytes = live ? live->rings.ring_bytes() : 0,
                               .threads = pipeline_.state().thread_count()};
    top_->append_page(out_.buffer(), totals, size_);
    if (!out_.flush())
        pipeline_.stop();
}

void Monitor::end() {
    if (!top_)
        return;
    output::append(out_.buffer(), kPageEnd);
    out_.flush();
}

HttpListener::Answer Monitor::answer(std::string_view path) {
    if (path == "/metrics")
        return metrics();
    if (path == "/healthz")
        return health();
    return {.status = 404, .body = "There are /metrics and /healthz.\n"};
}

HttpListener::Answer Monitor::health() {
    const auto live = source_.statistics();
    // "processes" comes after a line for each CPU and the interrupts.
    std::array<char, 16384> text{};
    std::optional<std::uint64_t> made;
    for (off_t at = 0; stat_.valid() && !made && at < (1 << 20);) {
        const ssize_t got = pread(stat_.get(), text.data(), text.size(), at);
        if (got <= 0)
            break;
        made = number_after({text.data(), static_cast<std::size_t>(got)}, "\nprocesses ");
        at += std::max<off_t>(got - 64, 1); // overlapping, for a number across the border
    }
    if (!live || !live->of_machine || !made)
        return {.body = "ok; whether events should come cannot be told here\n"};
    const ring::CpuCounts all = live->counters.total();
    if (const auto unseen =
            health_.check({.processes = *made, .events = all.events + all.dropped()}))
        return {.status = 503,
                .body = fmt::format("{} processes were made, and no event has come\n", *unseen)};
    return {.body = "ok\n"};
}

HttpListener::Answer Monitor::metrics() const {
    std::array<char, 256> text{};
    const auto live = source_.statistics();
    const std::string_view statm = reread(statm_, text);
    const std::size_t second = statm.find(' ');
    const auto pages = second == std::string_view::npos
                           ? std::nullopt
                           : number_after(statm.substr(second + 1), "");
    output::Metrics values{.engine = pipeline_.state(),
                           .events = pipeline_.events(),
                           .ns = now_ns(CLOCK_MONOTONIC) - begun_ns_,
                           .live = live,
                           .driver = live ? live->driver : "replay",
                           .rules = {},
                           .queues = {},
                           .lag_ns = lag_ns_,
                           .rss_bytes = pages.value_or(0) * 4096,
                           .cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID)};
    if (const rules::Engine* rules = pipeline_.rules())
        for (std::size_t id = 0; id < rules->counts().size(); ++id) {
            const rules::Rule& rule = rules->rules().rules[id];
            values.rules.push_back({.name = rule.name,
                                    .priority = config::priority_name(rule.priority),
                                    .source = rule.source,
                                    .matches = rules->counts()[id]});
        }
    if (alerter_ != nullptr)
        for (const auto& [name, counters] : alerter_->outputs())
            values.queues.push_back({.name = name,
                                     .waiting = counters.waiting,
                                     .written = counters.written,
                                     .discarded = counters.discarded,
                                     .failed = counters.failed});
    output::Buffer body;
    output::append_metrics(body, values);
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = fmt::to_string(body)};
}

} // namespace tiercel::app
