// SPDX-License-Identifier: Apache-2.0
//
// Sinks: the places that alerts go to, one for each row of config/outputs.def. A sink is opened
// before the sandbox is entered, with everything that it will need. Afterwards it needs these
// system calls only:
//
//     all              write
//     file             openat on its directory fd and close, to open the file again
//
// A connection that breaks is not made again, because the sandbox forbids socket(2).
// A sink may block: the Outbox that feeds it runs in a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "analyzer/config/settings.h"
#include "shared/os/result.h"

namespace tiercel::alerts {

class Sink {
  public:
    virtual ~Sink() = default;
    // Returns "stdout", "file /var/log/x", …
    virtual std::string name() const = 0;
    // Writes one line. Returns false, with the reason in errno, if the line is lost.
    virtual bool write(std::string_view line, config::Priority priority) = 0;
    // Returns how many bytes of `line` and its newline stood at the end of the output when it was
    // opened; 0 if there were none, or the output cannot tell.
    virtual std::size_t bytes_at_the_end(std::string_view /*line*/) const { return 0; }
    // Opens the file again after it was moved away (SIGHUP). Returns false if the old one is kept.
    virtual bool reopen() { return true; }
    // Returns the errno for which nothing can be written any more; 0: writing may go on.
    virtual int gone() const { return 0; }
    // Returns the directory in which reopen() makes a file, which the sandbox has to leave
    // writable; -1: there is none. The sink keeps ownership.
    virtual int directory() const { return -1; }
};

// open_file(settings), open_syslog(settings), … open the output's target.
#define OUTPUT(id, ...)                                                                            \
    os::Result<std::unique_ptr<Sink>> open_##id(const config::Settings& settings);
#include "analyzer/config/outputs.def"
#undef OUTPUT

} // namespace tiercel::alerts
