// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include "analyzer/output/alerts/sinks/connector.h"
#include "analyzer/output/alerts/sinks/fd_sink.h"

namespace tiercel::alerts {

// A sink whose receiver may end and come back: the connection is made again.
class ConnectedSink : public Sink {
  public:
    // Connects, or prints that alerts wait for the receiver.
    ConnectedSink(std::string name, Connector connector)
        : name_(std::move(name)), connector_(std::move(connector)) {
        auto made = connector_.connect();
        if (made)
            fd_ = *std::move(made);
        else
            os::print("analyzer", made.error(), "alerts wait until it is there");
    }
    std::string name() const override { return name_; }
    bool write(const Line& line) override {
        const std::string text = text_of(line);
        if (fd_.valid() && send_all(text))
            return true;
        if (fd_.valid() && (errno == EMSGSIZE || errno == EAGAIN))
            return false;
        auto fresh = connector_.connect();
        if (!fresh) {
            fd_.reset();
            errno = fresh.error().number;
            return false;
        }
        fd_ = *std::move(fresh);
        return send_all(text);
    }

  protected:
    virtual std::string text_of(const Line& line) const { return line.text + '\n'; }

  private:
    // A stream that has taken a part of a line is closed, because the line must not go on
    // elsewhere.
    bool send_all(std::string_view text) {
        const std::size_t whole = text.size();
        while (!text.empty()) {
            const ssize_t sent = send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR)
                continue;
            if (sent < 0 && text.size() < whole)
                fd_.reset();
            if (sent < 0)
                return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    std::string name_;
    Connector connector_;
    os::UniqueFd fd_;
};

} // namespace tiercel::alerts
