// SPDX-License-Identifier: Apache-2.0
//
// Implements the analyzer's side of shared/wire/courier.h. An alert counts as written when the
// courier has stored it; until then it is kept, and sent again on a new connection.
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>

#include "analyzer/output/alerts/sinks/connector.h"
#include "analyzer/output/alerts/sinks/fd_sink.h"
#include "shared/escape/escape.h"
#include "shared/os/clock.h"
#include "shared/wire/boot_id.h"

namespace tiercel::alerts {

namespace {

using namespace wire::courier;

constexpr std::size_t kMostUnconfirmed = 1024;
constexpr std::size_t kMostUnconfirmedBytes = 4 << 20;
constexpr std::size_t kLookEvery = 64; // lines between looks for confirmations
constexpr const char* kDefaultSocket = "/run/tiercel/courier.sock";

template <typename Message>
void append(std::string& bytes, const Message& message) {
    bytes.append(reinterpret_cast<const char*>(&message), sizeof message);
}

class CourierSink : public Sink {
  public:
    CourierSink(std::string path, Connector connector, Hello hello, const std::string& host)
        : path_(std::move(path)), connector_(std::move(connector)), sequence_(hello.session) {
        hello.host_bytes = static_cast<std::uint16_t>(host.size());
        hello.header.bytes = static_cast<std::uint32_t>(sizeof hello + host.size());
        append(hello_, hello);
        hello_ += host;
    }
    std::string name() const override { return "courier " + path_; }
    bool wants_json() const override { return true; }

    bool write(const Line& line) override {
        if (line.text.size() > kMostText) {
            errno = EMSGSIZE;
            return false;
        }
        if (!is_connected() || !flush())
            return false;
        const auto is_full = [this] {
            return unconfirmed_.size() >= kMostUnconfirmed || bytes_ >= kMostUnconfirmedBytes;
        };
        if ((is_full() || ++since_look_ % kLookEvery == 0) && !receive(is_full()))
            return false;
        for (int tries = 0; is_full() && tries < 3; ++tries) // a state is no confirmation
            if (!receive(true))
                return false;
        if (is_full()) {
            errno = EAGAIN;
            return false;
        }
        keep(line);
        outgoing_ += unconfirmed_.back().bytes;
        flush(); // what does not go out now is sent by the next call
        return true;
    }

    bool confirms() const override { return true; }
    // Connects even if no alert waits, because the courier tells the state of its destinations.
    int confirm() override {
        if (!is_connected())
            return errno;
        if (flush())
            receive(!unconfirmed_.empty());
        return fd_.valid() ? 0 : errno;
    }
    std::size_t unconfirmed() const override { return unconfirmed_.size(); }

    std::vector<State> destinations() const override {
        const std::lock_guard lock(mutex_);
        return states_;
    }

    void set_rules(const Sha256& sum) override {
        const std::lock_guard lock(mutex_);
        rules_.emplace().sum = sum;
        rules_told_ = false;
    }

  private:
    struct Kept {
        std::uint64_t sequence;
        std::string bytes;
    };

    // A record that is out of the protocol's limits would end each connection, so that no later
    // alert arrives.
    void keep(const Line& line) {
        const std::string rule = escape::as_text(line.rule, kMostRule);
        const std::string_view text = std::string_view(line.text).substr(0, kMostText);
        wire::courier::Alert alert;
        alert.header.bytes = static_cast<std::uint32_t>(sizeof alert + rule.size() + text.size());
        alert.rule_bytes = static_cast<std::uint16_t>(rule.size());
        alert.priority = static_cast<std::uint8_t>(line.priority);
        alert.sequence = ++sequence_;
        alert.time_ns = line.time_ns;
        Kept& kept = unconfirmed_.emplace_back(Kept{alert.sequence, {}});
        append(kept.bytes, alert);
        kept.bytes.append(rule).append(text);
        bytes_ += kept.bytes.size();
    }

    // Connects if there is no connection. Returns false with errno if there still is none.
    bool is_connected() {
        if (fd_.valid())
            return true;
        auto made = connector_.connect();
        if (!made) {
            errno = made.error().number;
            return false;
        }
        fd_ = *std::move(made);
        incoming_.clear();
        outgoing_ = hello_;
        for (const Kept& kept : unconfirmed_)
            outgoing_ += kept.bytes;
        const std::lock_guard lock(mutex_);
        rules_told_ = false;
        return true;
    }

    bool disconnect(int error) {
        fd_.reset();
        coming_.clear();
        {
            const std::lock_guard lock(mutex_);
            states_.clear();
        }
        errno = error;
        return false;
    }

    void add_rules() {
        const std::lock_guard lock(mutex_);
        if (rules_ && !std::exchange(rules_told_, true))
            append(outgoing_, *rules_);
    }

    // Sends what waits. Returns false with errno if not all of it could be sent.
    bool flush() {
        add_rules();
        std::size_t done = 0;
        while (done < outgoing_.size()) {
            const ssize_t sent =
                send(fd_.get(), outgoing_.data() + done, outgoing_.size() - done, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR)
                continue;
            if (sent < 0 && errno != EAGAIN)
                return disconnect(errno);
            if (sent < 0)
                break;
            done += static_cast<std::size_t>(sent);
        }
        outgoing_.erase(0, done);
        return outgoing_.empty();
    }

    // Reads what the courier says; waits up to a second for it if `wait`. Returns false with errno
    // if the connection has ended.
    bool receive(bool wait) {
        char room[16 << 10];
        iovec part{room, sizeof room};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t got = recvmsg(fd_.get(), &message, wait ? 0 : MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got <= 0)
            return disconnect(got == 0 ? ECONNRESET : errno);
        incoming_.append(room, static_cast<std::size_t>(got));
        std::size_t done = 0;
        while (incoming_.size() - done >= sizeof(Header)) {
            Header header;
            std::memcpy(&header, incoming_.data() + done, sizeof header);
            if (header.bytes < sizeof header || header.bytes > sizeof(State))
                return disconnect(EPROTO);
            if (incoming_.size() - done < header.bytes)
                break;
            take(header, incoming_.data() + done);
            done += header.bytes;
        }
        incoming_.erase(0, done);
        return true;
    }

    void take(const Header& header, const char* bytes) {
        if (header.type == Type::stored && header.bytes == sizeof(Stored)) {
            Stored stored;
            std::memcpy(&stored, bytes, sizeof stored);
            while (!unconfirmed_.empty() && unconfirmed_.front().sequence <= stored.sequence) {
                bytes_ -= unconfirmed_.front().bytes.size();
                unconfirmed_.pop_front();
            }
        }
        if (header.type == Type::state && header.bytes == sizeof(State)) {
            State state;
            std::memcpy(&state, bytes, sizeof state);
            state.name[sizeof state.name - 1] = '\0';
            coming_.push_back(state);
            if (state.last == 0 && coming_.size() < kMostDestinations)
                return;
            const std::lock_guard lock(mutex_);
            states_ = std::exchange(coming_, {});
        }
    }

    static constexpr std::size_t kMostDestinations = 100;

    std::string path_;
    Connector connector_;
    std::string hello_;
    std::uint64_t sequence_;
    os::UniqueFd fd_;
    std::deque<Kept> unconfirmed_;
    std::size_t bytes_ = 0; // of them
    std::size_t since_look_ = 0;
    std::string outgoing_, incoming_;
    std::vector<State> coming_;
    mutable std::mutex mutex_; // of what follows
    std::vector<State> states_;
    std::optional<Rules> rules_;
    bool rules_told_ = false; // on this connection
};

} // namespace

std::string courier_socket(const config::Settings& settings) {
    const std::string& target = settings.output(config::Output::courier).target;
    return target.empty() ? kDefaultSocket : target;
}

// The courier may be absent: alerts wait in the output's queue until it is there.
os::Result<std::unique_ptr<Sink>> open_courier(const config::Settings& settings) {
    const std::string path = courier_socket(settings);
    auto connector = Connector::start(path, SOCK_STREAM);
    if (!connector)
        return connector.error();
    char name[kMostHost + 1] = "";
    gethostname(name, sizeof name - 1);
    const std::string host =
        escape::as_text(settings.hostname.empty() ? name : settings.hostname, kMostHost);
    return std::unique_ptr<Sink>(std::make_unique<CourierSink>(
        path, *std::move(connector),
        Hello{.boot = boot_id(), .session = os::now_ns(CLOCK_BOOTTIME)}, host));
}

} // namespace tiercel::alerts
