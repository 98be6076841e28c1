// SPDX-License-Identifier: Apache-2.0
//
// Syslog over a stream: messages of RFC 5424, each behind its length (RFC 6587 3.4.1, and RFC 5425
// with TLS). libcurl makes the connection, TLS included.
//
// The protocol has no acknowledgement. A batch counts as delivered when the server's TCP has
// acknowledged it and the connection is still there. What was sent in the last seconds is kept, and
// sent again if the connection breaks, because the server may not have read it.
#include <curl/curl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <thread>

#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"

namespace tiercel::courier {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::seconds kKeptFor{5};
constexpr std::size_t kMostKept = 2 << 20;
constexpr unsigned kFacilityUser = 1;

// Appends a value of structured data (RFC 5424 6.3.3).
void append_value(std::string& text, std::string_view value) {
    for (const char c : value) {
        if (c == '"' || c == '\\' || c == ']')
            text += '\\';
        text += c;
    }
}

std::string message_of(const Record& record) {
    std::string text = '<' + std::to_string(kFacilityUser << 3 | record.priority) + ">1 " +
                       iso_time(record.time_ns) + ' ';
    text += record.host.empty() ? "-" : record.host;
    text += R"( tiercel - - [tiercel@32473 id=")";
    append_value(text, id_of(record));
    text += R"(" rule=")";
    append_value(text, record.rule);
    text += "\"] ";
    text += record.text;
    return std::to_string(text.size()) + ' ' + text;
}

class Syslog : public Destination {
  public:
    explicit Syslog(const Options& options) : options_(options) {}
    ~Syslog() override { disconnect(); }

    Sent send(std::span<const Record> records) override {
        std::string bytes;
        for (const Record& record : records)
            bytes += message_of(record);
        std::string error = is_open() ? "" : connect();
        if (error.empty())
            error = write(bytes);
        if (error.empty())
            error = wait_for_acknowledgement();
        if (!error.empty()) {
            disconnect();
            return {0, Sent::Outcome::retry, error};
        }
        keep(std::move(bytes));
        return {records.size(), Sent::Outcome::done, ""};
    }

  private:
    struct Kept {
        Clock::time_point when;
        std::string bytes;
    };

    // Connects, and sends again what the last connection may have lost.
    std::string connect() {
        disconnect();
        easy_ = curl_easy_init();
        const bool tls = options_.flag("tls");
        const std::string url = (tls ? "https://" : "http://") + options_.text("address");
        char reason[CURL_ERROR_SIZE] = "";
        const bool check = !options_.flag("insecure");
        curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
        curl_easy_setopt(easy_, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy_, CURLOPT_PROXY, "");
        curl_easy_setopt(easy_, CURLOPT_SSL_ENABLE_ALPN, 0L);
        curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kPatience.count()));
        curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, reason);
        curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, check ? 1L : 0L);
        curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, check ? 2L : 0L);
        set(CURLOPT_CAINFO, "ca_cert");
        if (options_.flag("mtls")) {
            set(CURLOPT_SSLCERT, "client_cert");
            set(CURLOPT_SSLKEY, "client_key");
        }
        const CURLcode code = curl_easy_perform(easy_);
        curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
        if (code == CURLE_OK)
            curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket_);
        else
            return reason[0] != '\0' ? reason : curl_easy_strerror(code);
        for (const Kept& kept : kept_)
            if (kept.when + kKeptFor > Clock::now())
                if (std::string error = write(kept.bytes); !error.empty())
                    return error;
        return "";
    }

    void set(CURLoption option, const char* key) {
        if (const std::string& value = options_.text(key); !value.empty())
            curl_easy_setopt(easy_, option, value.c_str());
    }

    void disconnect() {
        curl_easy_cleanup(easy_);
        easy_ = nullptr;
        socket_ = -1;
    }

    // Returns whether there is a connection that the server has not closed.
    bool is_open() const {
        char byte = 0;
        std::size_t got = 0;
        return easy_ != nullptr && curl_easy_recv(easy_, &byte, 1, &got) == CURLE_AGAIN;
    }

    std::string write(std::string_view bytes) {
        const auto end = Clock::now() + kPatience;
        while (!bytes.empty()) {
            std::size_t sent = 0;
            const CURLcode code = curl_easy_send(easy_, bytes.data(), bytes.size(), &sent);
            if (code != CURLE_OK && code != CURLE_AGAIN)
                return curl_easy_strerror(code);
            bytes.remove_prefix(sent);
            pollfd writable{static_cast<int>(socket_), POLLOUT, 0};
            if (code == CURLE_AGAIN)
                poll(&writable, 1, 1000);
            if (Clock::now() > end)
                return "the server does not read";
        }
        return "";
    }

    std::string wait_for_acknowledgement() {
        const auto end = Clock::now() + kPatience;
        for (int unsent = 1; Clock::now() < end;) {
            if (ioctl(static_cast<int>(socket_), SIOCOUTQ, &unsent) != 0)
                return std::strerror(errno);
            if (unsent == 0)
                return is_open() ? "" : "the server has closed the connection";
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        return "the server does not acknowledge what was sent";
    }

    void keep(std::string bytes) {
        kept_bytes_ += bytes.size();
        kept_.push_back({Clock::now(), std::move(bytes)});
        while (kept_bytes_ > kMostKept || kept_.front().when + kKeptFor < Clock::now()) {
            kept_bytes_ -= kept_.front().bytes.size();
            kept_.pop_front();
        }
    }

    Options options_;
    CURL* easy_ = nullptr;
    curl_socket_t socket_ = -1;
    std::deque<Kept> kept_;
    std::size_t kept_bytes_ = 0;
};

} // namespace

Made make_syslog(const Options& options) {
    const std::string& address = options.text("address");
    if (address.find(':') == std::string::npos)
        return {nullptr, "'address' must be HOST:PORT"};
    if (!options.flag("tls") && !is_local(address) && !options.flag("plain_text"))
        return {nullptr, "'address' is another machine: tls: false needs plain_text: true"};
    if (std::string wrong = unreadable_file(options, {"ca_cert", "client_cert", "client_key"});
        !wrong.empty())
        return {nullptr, std::move(wrong)};
    return {std::make_unique<Syslog>(options), ""};
}

} // namespace tiercel::courier
