// SPDX-License-Identifier: Apache-2.0
//
// Monitor: what the analyzer tells of itself while it runs: metrics and health over HTTP, when a
// listening socket was passed to it, and a page for the terminal (--top).
#pragma once

#include <memory>
#include <optional>

#include "analyzer/observers/alerter.h"
#include "analyzer/observers/health.h"
#include "analyzer/output/top.h"
#include "analyzer/output/writer.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/service/http_listener.h"
#include "analyzer/service/loop.h"
#include "analyzer/setup/options.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class Monitor {
  public:
    // Before the sandbox: takes the passed socket, opens the two files of /proc that it will go on
    // reading, and puts itself on the loop. All are lent, and must outlive it; `alerter` may be
    // null.
    static os::Result<std::unique_ptr<Monitor>> make(const Options& options, Pipeline& pipeline,
                                                     const Source& source, const Alerter* alerter,
                                                     Loop& loop);

    // Whether the sandbox has to allow accept4(2).
    bool listens() const { return listener_.has_value(); }
    // After each batch of events: how far behind it was.
    void batch_done();
    // The last page stays on the terminal, the shell's prompt below it.
    void end();

  private:
    Monitor(Pipeline& pipeline, const Source& source, const Alerter* alerter)
        : pipeline_(pipeline), source_(source), alerter_(alerter), out_(STDOUT_FILENO) {}
    void show_top();
    void draw();
    HttpListener::Answer answer(std::string_view path);
    HttpListener::Answer health();
    HttpListener::Answer metrics() const;

    Pipeline& pipeline_;
    const Source& source_;
    const Alerter* alerter_;
    os::UniqueFd statm_, stat_; // invalid: not to be read here
    std::optional<HttpListener> listener_;
    Health health_;
    std::optional<output::Top> top_;
    output::Top::Size size_;
    output::Writer out_;
    std::uint64_t begun_ns_ = 0, lag_ns_ = 0, measured_at_ = 0;
};

} // namespace tiercel::app
