// SPDX-License-Identifier: Apache-2.0
//
// ReplaySource: a capture as a source of events. It needs no privilege and no privd.
#pragma once

#include <string>

#include "analyzer/capture/reader.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class ReplaySource : public Source {
  public:
    // `path`: "-" is standard input. `pipeline` must outlive the object.
    static os::Result<ReplaySource> open(const std::string& path, Pipeline& pipeline);

    os::Result<void> begin(const Meanwhile&) override { return {}; }
    std::size_t read() override;
    void finish() override {}
    std::span<const os::UniqueFd> wakeups() const override {
        return {&reader_.ready(), reader_.ready().valid() ? 1u : 0u};
    }
    bool ends_with_wakeups() const override { return false; }
    std::size_t room() const override { return kBatch; }
    std::optional<output::LiveStatistics> statistics() const override { return std::nullopt; }
    const capture::MachineInfo& machine() const override { return reader_.machine(); }
    const std::string& error() const override { return reader_.error(); }

  private:
    // Events of one read(), after which the loop looks at signals and outputs.
    static constexpr std::size_t kBatch = 4096;

    ReplaySource(os::UniqueFd fd, Pipeline& pipeline)
        : pipeline_(pipeline), reader_(std::move(fd), pipeline.state()) {}

    Pipeline& pipeline_;
    capture::Reader reader_;
};

} // namespace tiercel::app
