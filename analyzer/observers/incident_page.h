// SPDX-License-Identifier: Apache-2.0
//
// IncidentPage: writes what happened in a capture as one page of HTML (--report).
#pragma once

#include <memory>

#include "analyzer/observers/observer.h"
#include "analyzer/report/summary.h"
#include "analyzer/setup/detection.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class IncidentPage : public Observer {
  public:
    // Opens the file, so call it before the sandbox. Both must outlive the object.
    static os::Result<std::unique_ptr<IncidentPage>> open(const Config& config,
                                                          Detection& detection);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_event; }
    void on_event(const Pipeline::Event& event) override;
    void report(output::Buffer& out) const override;
    // Writes the page.
    Outcome end() override;

  private:
    IncidentPage(const Config& config, Detection& detection, os::UniqueFd file);
    std::vector<std::string> notes() const;

    const Config& config_;
    os::UniqueFd file_;
    report::Summary summary_;
    std::optional<Session> session_;
    std::size_t bytes_ = 0;
};

} // namespace tiercel::app
