// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/top_page.h"

#include <unistd.h>

#include "analyzer/output/escape.h"
#include "analyzer/output/event_line.h"
#include "analyzer/service/clock.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPeriod{1};
constexpr std::string_view kClear = "\x1b[2J", kPageEnd = "\x1b[0m\r\n";

} // namespace

TopPage::TopPage() : out_(STDOUT_FILENO) {}

os::Result<void> TopPage::attach(Session session) {
    pipeline_ = &session.pipeline;
    size_ = output::terminal_size(STDOUT_FILENO);
    output::append(out_.buffer(), kClear);
    session.loop.every(kPeriod, [this, session] { draw(session); });
    return {};
}

void TopPage::on_event(const Pipeline::Event& event) {
    const state::Thread* thread = event.state.current().thread;
    top_.count(thread != nullptr && !thread->comm.empty() ? thread->comm.view() : "<NA>",
               output::type_of(event.view));
}

void TopPage::on_match(const Pipeline::Event& event) {
    for (const filter::RuleId rule : event.matched)
        top_.match(pipeline_->rules()->rules().rules[rule].name);
}

void TopPage::draw(const Session& session) {
    const auto live = session.source.statistics();
    const output::Top::Totals totals{.events = session.pipeline.events(),
                                     .drops = live ? live->counters.total().dropped() : 0,
                                     .ns = now_ns(CLOCK_MONOTONIC),
                                     .lag_ns = lag_ns_,
                                     .ring_used = live ? live->rings.fullest() : 0,
                                     .ring_bytes = live ? live->rings.ring_bytes() : 0,
                                     .threads = session.pipeline.state().thread_count()};
    top_.append_page(out_.buffer(), totals, size_);
    if (!out_.flush())
        session.pipeline.stop();
}

Observer::Outcome TopPage::end() {
    output::append(out_.buffer(), kPageEnd);
    out_.flush();
    return Outcome::good;
}

} // namespace tiercel::app
