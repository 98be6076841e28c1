// SPDX-License-Identifier: Apache-2.0
//
// Collects the values of /metrics, and judges for /healthz whether the sensor sees what happens and
// for /readyz whether its alerts arrive.
#include "analyzer/observers/metrics_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

#include "analyzer/service/bearer_token.h"
#include "shared/os/clock.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

// Returns the beginning of an open file of /proc, whose text is made anew at each read from 0.
std::string_view reread(const os::UniqueFd& file, std::span<char> buffer) {
    if (!file.valid())
        return {};
    const ssize_t got = pread(file.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

// Returns the whole number after the first `name`; with an empty name, at the text's beginning.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
    const std::size_t at = name.empty() ? 0 : text.find(name);
    if (at == std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(at + name.size());
    const std::size_t end = text.find_first_not_of("0123456789");
    return end == std::string_view::npos ? std::nullopt : os::parse_unsigned(text.substr(0, end));
}

bool is_unix(const os::UniqueFd& socket) {
    int domain = 0;
    socklen_t length = sizeof domain;
    return getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
           domain == AF_UNIX;
}

// The file of the settings; without one, a file in the directory that systemd made for the service.
os::Result<std::string> find_token(const config::Settings& settings) {
    std::string path = settings.token_file;
    if (const char* own = std::getenv("STATE_DIRECTORY"); path.empty() && own != nullptr)
        path = std::string(own) + "/metrics.token";
    if (!path.empty())
        return read_or_make_token(path);
    fmt::print(stderr,
               "analyzer: warning: /metrics is refused on the TCP port, because there is no "
               "token: set metrics.token_file\n");
    return std::string();
}

} // namespace

os::Result<std::unique_ptr<MetricsServer>> MetricsServer::make(const config::Settings& settings,
                                                               Collect collect, Page page) {
    auto socket = inherited_listener();
    if (!socket)
        return socket.error();
    if (!socket->valid())
        return std::unique_ptr<MetricsServer>();
    std::unique_ptr<MetricsServer> made(
        new MetricsServer(settings.max_drop_share, std::move(collect), std::move(page)));
    if (!is_unix(*socket)) {
        auto token = find_token(settings);
        if (!token)
            return token.error();
        made->token_ = *std::move(token);
    }
    auto listener = HttpListener::take(*std::move(socket),
                                       [server = made.get()](const HttpListener::Request& request) {
                                           return server->answer(request);
                                       });
    if (!listener)
        return listener.error();
    made->listener_.emplace(*std::move(listener));
    return made;
}

os::Result<void> MetricsServer::attach(Session session) {
    session_.emplace(session);
    begun_ns_ = os::now_ns(CLOCK_MONOTONIC);
    // Without these files the metrics that come from them are left out.
    statm_ = os::UniqueFd(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    stat_ = os::UniqueFd(open("/proc/stat", O_RDONLY | O_CLOEXEC));
    session.loop.watch(listener_->ready(), [this] {
        listener_->on_ready(os::now_ns(CLOCK_MONOTONIC));
        return true;
    });
    session.loop.every(std::chrono::seconds(1), [this] {
        listener_->on_ready(os::now_ns(CLOCK_MONOTONIC)); // drops connections whose time is over
        if (const auto now = counts())
            health_.second(*now);
    });
    return {};
}

std::optional<Health::Counts> MetricsServer::counts() const {
    const auto live = session_->source.statistics();
    if (!live)
        return std::nullopt;
    const ring::CpuCounts all = live->counters.total();
    return Health::Counts{.events = all.events, .drops = all.dropped()};
}

std::optional<std::uint64_t> MetricsServer::processes_made() const {
    // "processes" comes after a line for each CPU and the line of interrupts.
    std::array<char, 16384> text{};
    for (off_t at = 0; stat_.valid() && at < (1 << 20);) {
        const ssize_t got = pread(stat_.get(), text.data(), text.size(), at);
        if (got <= 0)
            break;
        if (const auto made =
                number_after({text.data(), static_cast<std::size_t>(got)}, "\nprocesses "))
            return made;
        at += std::max<off_t>(got - 64, 1); // overlapping, for a number across the border
    }
    return std::nullopt;
}

HttpListener::Answer MetricsServer::health() {
    const auto now = counts();
    if (!now)
        return {.body = "ok; a capture is replayed\n"};
    if (const double share = health_.drop_share(); share > max_drop_share_)
        return {.status = 503,
                .body = fmt::format("{:.0f} % of the events of the last {} seconds were dropped\n",
                                    share * 100, Health::kSeconds)};
    const auto made = processes_made();
    if (!session_->source.statistics()->of_machine || !made)
        return {.body = "ok; the number of processes made is not known here\n"};
    if (const auto unseen = health_.unseen(*made, *now))
        return {.status = 503,
                .body = fmt::format("{} processes were made, and no event has come\n", *unseen)};
    return {.body = "ok\n"};
}

HttpListener::Answer MetricsServer::readiness() {
    const HttpListener::Answer healthy = health();
    const std::string blind =
        healthy.status == 200 ? "" : healthy.body.substr(0, healthy.body.find('\n'));
    return with_metrics([&](const output::Metrics& values) -> HttpListener::Answer {
        auto [is_ready, text] = readiness_.judge(values, blind, os::now_ns(CLOCK_MONOTONIC));
        return {.status = is_ready ? 200 : 503, .body = std::move(text)};
    });
}

template <typename Use>
HttpListener::Answer MetricsServer::with_metrics(Use use) const {
    std::array<char, 256> text{};
    const auto live = session_->source.statistics();
    const std::string_view statm = reread(statm_, text);
    const std::size_t second = statm.find(' ');
    const auto pages = second == std::string_view::npos
                           ? std::nullopt
                           : number_after(statm.substr(second + 1), "");
    const Pipeline& pipeline = session_->pipeline;
    const Health::Rates rates = health_.rates();
    output::Metrics values{.engine = pipeline.state(),
                           .events = pipeline.events(),
                           .ns = os::now_ns(CLOCK_MONOTONIC) - begun_ns_,
                           .live = live,
                           .driver = live ? live->driver : "replay",
                           .lag_ns = lag_ns_,
                           .rss_bytes = pages.value_or(0) * 4096,
                           .cpu_ns = os::now_ns(CLOCK_PROCESS_CPUTIME_ID),
                           .event_rate = rates.events,
                           .drop_rate = rates.drops};
    if (const auto* rules = pipeline.rules())
        for (std::size_t id = 0; id < rules->counts().size(); ++id) {
            const rules::Rule& rule = rules->rules().rules[id];
            values.rules.push_back({.name = rule.name,
                                    .priority = config::priority_name(rule.priority),
                                    .source = rule.source,
                                    .matches = rules->counts()[id]});
        }
    collect_(values);
    return use(values);
}

// The page shows alerts, so the token guards it as it guards the metrics.
HttpListener::Answer MetricsServer::answer(const HttpListener::Request& request) {
    const bool is_page = request.path == "/" && page_;
    if (request.path == "/healthz")
        return health();
    if (request.path == "/readyz")
        return readiness();
    if (request.path != "/metrics" && !is_page)
        return {.status = 404, .body = "There are /metrics, /healthz and /readyz.\n"};
    if (token_ && !is_token(request.bearer, *token_))
        return {.status = 401,
                .body = "Send the token of metrics.token_file: Authorization: Bearer TOKEN\n"};
    return with_metrics([&](const output::Metrics& values) -> HttpListener::Answer {
        if (is_page)
            return {.type = "text/html; charset=utf-8", .body = page_(values)};
        output::Buffer body;
        output::append_metrics(body, values);
        return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = fmt::to_string(body)};
    });
}

} // namespace tiercel::app
