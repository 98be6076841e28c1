// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/top_page.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/append.h"
#include "analyzer/output/event_line.h"
#include "shared/os/clock.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPeriod{1};
constexpr std::string_view kClear = "\x1b[2J", kPageEnd = "\x1b[0m\r\n";

// Returns the name of the reason for most drops; empty if there are none.
std::string_view main_reason(const ring::CpuCounts& counts) {
    const auto most = std::ranges::max_element(counts.drops);
    return *most == 0 ? std::string_view()
                      : ring::drop_name(static_cast<std::size_t>(most - counts.drops.begin()));
}

} // namespace

os::Result<std::unique_ptr<TopPage>> TopPage::make(const Config& config) {
    std::optional<TopKeys> keys;
    std::unique_ptr<alerts::Sink> courier;
    const std::string socket = alerts::courier_socket(config.settings);
    if (config.replay.empty() && access(socket.c_str(), W_OK) == 0) {
        auto opened = alerts::open_courier(config.settings);
        if (!opened)
            return opened.error();
        courier = *std::move(opened);
    }
    if (isatty(STDOUT_FILENO) == 1) {
        auto opened = TopKeys::open();
        if (!opened)
            return opened.error();
        keys = *std::move(opened);
    }
    return std::unique_ptr<TopPage>(new TopPage(std::move(keys), std::move(courier)));
}

TopPage::TopPage(std::optional<TopKeys> keys, std::unique_ptr<alerts::Sink> courier)
    : keys_(std::move(keys)), is_page_(isatty(STDOUT_FILENO) == 1), courier_(std::move(courier)),
      out_(STDOUT_FILENO) {}

os::Result<void> TopPage::attach(Session session) {
    pipeline_ = &session.pipeline;
    top_ = output::Top(os::now_ns(CLOCK_MONOTONIC));
    size_ = output::terminal_size(STDOUT_FILENO);
    if (is_page_)
        output::append(out_.buffer(), kClear);
    session.loop.every(kPeriod, [this, session] { take_second(session); });
    if (keys_)
        session.loop.watch(keys_->ready(), [this, session] {
            if (!keys_->take(view_)) {
                session.pipeline.stop();
                session.loop.stop();
                return false;
            }
            draw();
            return true;
        });
    return {};
}

void TopPage::on_event(const Pipeline::Event& event) {
    const state::Thread* thread = event.state.current().thread;
    const bool is_known = thread != nullptr && !thread->comm.empty();
    top_.count(is_known ? thread->comm.view() : "<NA>",
               thread != nullptr ? thread->container_id.view() : std::string_view(),
               output::type_of(event.view));
}

void TopPage::on_match(const Pipeline::Event& event) {
    for (const filter::RuleId rule : event.matched)
        top_.match(pipeline_->rules()->rules().rules[rule].name);
}

// While the page is paused, what happens is counted for the period that ends after the pause.
void TopPage::take_second(const Session& session) {
    if (view_.is_paused)
        return;
    const auto live = session.source.statistics();
    const ring::CpuCounts counts = live ? live->counters.total() : ring::CpuCounts();
    top_.take({.events = session.pipeline.events(),
               .drops = counts.dropped(),
               .drop_reason = main_reason(counts),
               .filtered = counts.filtered,
               .ns = os::now_ns(CLOCK_MONOTONIC),
               .lag_ns = lag_ns_,
               .ring_used = live ? live->rings.fullest() : 0,
               .ring_bytes = live ? live->rings.ring_bytes() : 0,
               .threads = session.pipeline.state().thread_count()});
    ask_courier();
    draw();
    if (out_.error() != 0)
        session.pipeline.stop();
}

// The courier tells each client the state of its destinations, each second.
void TopPage::ask_courier() {
    if (!courier_)
        return;
    const int away = courier_->confirm();
    std::vector<std::string> lines;
    for (const wire::courier::State& state : courier_->destinations())
        lines.push_back(output::state_text(output::destination_of(state)));
    if (away != 0)
        lines.push_back(std::string("the courier does not answer: ") + std::strerror(away));
    top_.set_destinations(std::move(lines));
}

void TopPage::draw() {
    if (is_page_)
        top_.append_page(out_.buffer(), size_, view_);
    else
        top_.append_lines(out_.buffer(),
                          alerts::iso_time(os::now_ns(CLOCK_REALTIME)).substr(0, 19));
    out_.flush();
}

Observer::Outcome TopPage::end() {
    if (is_page_)
        output::append(out_.buffer(), kPageEnd);
    out_.flush();
    return Outcome::good;
}

} // namespace tiercel::app
