// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/incident_page.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "analyzer/report/page.h"

namespace tiercel::app {

IncidentPage::IncidentPage(const Config& config, Detection& detection, os::UniqueFd file)
    : config_(config), file_(std::move(file)),
      summary_(detection.fields, detection.rules.get(), {config.container, config.user}) {}

// Only the owner may read the page, because it shows what processes read and wrote.
os::Result<std::unique_ptr<IncidentPage>> IncidentPage::open(const Config& config,
                                                             Detection& detection) {
    if (config.report.empty())
        return std::unique_ptr<IncidentPage>();
    os::UniqueFd file(config.report == "-"
                          ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                          : ::open(config.report.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
                                   S_IRUSR | S_IWUSR));
    if (!file.valid())
        return os::error("open for writing", config.report);
    return std::unique_ptr<IncidentPage>(new IncidentPage(config, detection, std::move(file)));
}

os::Result<void> IncidentPage::attach(Session session) {
    session_.emplace(session);
    return {};
}

void IncidentPage::on_event(const Pipeline::Event& event) {
    if (event.number == 1 && config_.since)
        summary_.set_since(config_.since->ns(event.view.ts()));
    summary_.take(event);
}

// What the capture and the tables lost.
std::vector<std::string> IncidentPage::notes() const {
    std::vector<std::string> notes;
    const auto note = [&notes](std::uint64_t count, std::string_view what) {
        if (count > 0)
            notes.push_back(fmt::format("{} {}", count, what));
    };
    if (!session_->source.error().empty())
        notes.push_back("the capture could not be read to its end: " + session_->source.error());
    const state::Counters& counters = session_->pipeline.state().counters();
    note(counters.placeholders, "threads were met whose start the capture does not have");
    note(counters.unknown_fds, "events used file descriptors whose opening the capture does not "
                               "have, so that their files are missing here");
    note(counters.evicted_threads, "threads were forgotten because the table was full");
    note(counters.refused_fds, "file descriptors were given up because a table was full");
    note(counters.forgotten_tables, "tables of idle processes were given up to save memory");
    if (!config_.container.empty() || !config_.user.empty() || config_.since)
        notes.emplace_back("only a part of the capture is shown, as the options asked");
    return notes;
}

Observer::Outcome IncidentPage::end() {
    std::string name = config_.replay == "-" ? "standard input" : config_.replay;
    if (const std::size_t slash = name.rfind('/'); slash != std::string::npos)
        name.erase(0, slash + 1);
    output::Writer out(file_.get());
    report::append_page(out.buffer(), summary_,
                        {.capture = std::move(name),
                         .hostname = session_->source.machine().hostname,
                         .notes = notes()});
    bytes_ = out.buffer().size();
    if (out.flush())
        return Outcome::good;
    os::print("analyzer", os::error("write the report to", config_.report, out.error()), "");
    return Outcome::failed;
}

void IncidentPage::report(output::Buffer& out) const {
    std::uint64_t alerts = 0;
    for (const std::uint64_t matches : summary_.matches())
        alerts += matches;
    fmt::format_to(fmt::appender(out),
                   "analyzer:   report {}: {} bytes; {} alerts, {} processes, {} files, {} "
                   "connections\n",
                   config_.report, bytes_, alerts, summary_.processes().size(),
                   summary_.files().rows().size(), summary_.connections().rows().size());
}

} // namespace tiercel::app
