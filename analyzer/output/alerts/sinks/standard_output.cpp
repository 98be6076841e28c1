// SPDX-License-Identifier: Apache-2.0
//
// Standard output. Where systemd connects it to the journal, alerts are sent by the journal's own
// protocol, which keeps the alert's priority and fields apart from its text.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "analyzer/output/alerts/sinks/connect.h"
#include "analyzer/output/alerts/sinks/fd_sink.h"
#include "analyzer/output/alerts/sinks/journal.h"

namespace tiercel::alerts {

namespace {

// systemd.exec(5): JOURNAL_STREAM holds the device and the inode of the stream to the journal.
bool is_journal(int fd) {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && fstat(fd, &status) == 0 &&
           std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == stream;
}

// Sends each line as an entry. A line that the journal does not take as one, because it is too
// long or the socket is gone, is written to the stream, as text.
class JournalSink : public StreamSink {
  public:
    JournalSink(os::UniqueFd stream, os::UniqueFd journal)
        : StreamSink("stdout", std::move(stream)), journal_(std::move(journal)) {}
    bool write(const Line& line) override {
        const std::string entry = journal_entry(line);
        ssize_t sent = 0;
        do {
            sent = ::send(journal_.get(), entry.data(), entry.size(), MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        return sent >= 0 || StreamSink::write(line);
    }

  private:
    os::UniqueFd journal_;
};

} // namespace

os::Result<std::unique_ptr<Sink>> open_standard_output(const config::Settings&) {
    os::UniqueFd fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid())
        return os::error("use standard output");
    if (is_journal(fd.get())) {
        auto journal = connect_unix("connect to the journal at", kJournalSocket, SOCK_DGRAM);
        if (journal)
            return std::unique_ptr<Sink>(
                std::make_unique<JournalSink>(std::move(fd), *std::move(journal)));
        os::print("analyzer", journal.error(), "alerts are written as text");
    }
    return std::unique_ptr<Sink>(std::make_unique<StreamSink>("stdout", std::move(fd)));
}

} // namespace tiercel::alerts
