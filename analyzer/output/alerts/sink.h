// SPDX-License-Identifier: Apache-2.0
//
// Sinks: the places that alerts go to, one for each row of config/outputs.def. A sink is opened
// before the sandbox is entered, with everything that it will need. Afterwards it needs these
// system calls only:
//
//     all              write
//     file             openat on its directory fd and close, to open the file again
//     connections      sendto, recvmsg and close: a Connector makes a broken connection again
//
// A sink may block: the Outbox that feeds it runs in a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analyzer/config/settings.h"
#include "shared/os/result.h"
#include "shared/wire/courier.h"

namespace tiercel::alerts {

// An alert as it is written.
struct Line {
    std::string text; // without its end
    config::Priority priority = config::Priority::debug;
    std::string rule;
    std::uint64_t time_ns = 0;     // of the alert, since the epoch
    std::string container_id = {}; // empty: the host
};

class Sink {
  public:
    virtual ~Sink() = default;
    // Returns "stdout", "file /var/log/x", …
    virtual std::string name() const = 0;
    // Writes one line. Returns false, with the reason in errno, if it is not written. The outbox
    // then calls again with the same line later, unless gone() or errno is EMSGSIZE.
    virtual bool write(const Line& line) = 0;
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
    // Returns whether lines have to be JSON, whatever the settings say.
    virtual bool wants_json() const { return false; }

    // A sink whose receiver confirms lines overrides these. confirm() connects if there is no
    // connection, reads confirmations, and waits up to a second for one if some are missing. It
    // returns the errno that keeps the receiver away; 0: it is connected. The outbox calls it each
    // second while nothing is to be written. unconfirmed() returns how many lines may have to be
    // sent again.
    virtual bool confirms() const { return false; }
    virtual int confirm() { return 0; }
    virtual std::size_t unconfirmed() const { return 0; }
    // Returns the state of the courier's destinations. May be called from any thread.
    virtual std::vector<wire::courier::State> destinations() const { return {}; }
    // Tells the courier the sum of the rules that are in force. May be called from any thread.
    virtual void set_rules(const wire::courier::Sha256& /*sum*/) {}
};

// open_file(settings), open_syslog(settings), … open the output's target.
#define OUTPUT(id, ...)                                                                            \
    os::Result<std::unique_ptr<Sink>> open_##id(const config::Settings& settings);
#include "analyzer/config/outputs.def"
#undef OUTPUT

// Returns the path of the courier's socket.
std::string courier_socket(const config::Settings& settings);

} // namespace tiercel::alerts
