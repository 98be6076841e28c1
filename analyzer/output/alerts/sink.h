// SPDX-License-Identifier: Apache-2.0
//
// Sinks: where alerts go. Each is opened before the sandbox is entered, with everything it will
// ever need; afterwards it needs these system calls only:
//
//     standard output, file         write; file, to be reopened: openat on its directory fd, close
//     syslog                        sendto with no address: the socket is connected to /dev/log.
//     Under
//                                   systemd that socket outlives the daemon; another syslogd that
//                                   is restarted is lost, because the sandbox has no connect(2)
//     program, Unix stream socket   the same; a broken connection is not made again
//
// A sink may block: the Outbox that feeds it runs in a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "analyzer/config/priority.h"
#include "shared/os/result.h"

namespace tiercel::alerts {

class Sink {
  public:
    virtual ~Sink() = default;
    // "stdout", "file /var/log/x"
    virtual std::string name() const = 0;
    // Writes one line; false: it is lost.
    virtual bool write(std::string_view line, config::Priority priority) = 0;
    // After the file was moved away (SIGHUP). False: the old one is kept.
    virtual bool reopen() { return true; }
    // The errno for which nothing can be written any more, whatever happens; 0: it may go on.
    virtual int gone() const { return 0; }
    // The directory in which reopen() makes a file: what the sandbox has to leave writable. -1:
    // none.
    virtual int directory() const { return -1; }
};

os::Result<std::unique_ptr<Sink>> open_stdout();
// Appends to the file, which is made with mode 0640. The directory must exist.
os::Result<std::unique_ptr<Sink>> open_file(const std::string& path);
// The local syslogd or journald. `ident` is what the lines are tagged with.
os::Result<std::unique_ptr<Sink>> open_syslog(const std::string& ident,
                                              const std::string& path = "/dev/log");
os::Result<std::unique_ptr<Sink>> open_unix_socket(const std::string& path);
// Starts `command` with the shell; alerts go to its standard input, one line each, until we end.
os::Result<std::unique_ptr<Sink>> open_program(const std::string& command);

} // namespace tiercel::alerts
