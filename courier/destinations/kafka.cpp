// SPDX-License-Identifier: Apache-2.0
//
// Kafka, by librdkafka's idempotent producer: the broker drops what the library sends twice. The
// key is the host, so that the alerts of a host are in one partition, in order. The header `id`
// tells duplicates after a restart of the courier.
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <string>
#include <vector>

#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"

namespace tiercel::courier {

namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr const char* kTimeoutMs = "12000"; // of a message; less than kPatience
constexpr int kPollMs = 100;

// A batch that is under way; the delivery reports come back in any order.
struct Flight {
    std::vector<rd_kafka_resp_err_t> results;
    std::size_t waiting = 0;
};

struct Place {
    Flight* flight;
    std::size_t index;
};

void note_report(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    const auto* place = static_cast<const Place*>(message->_private);
    place->flight->results[place->index] = message->err;
    --place->flight->waiting;
}

class Kafka : public Destination {
  public:
    explicit Kafka(const Options& options) : options_(options) {}
    ~Kafka() override { disconnect(); }

    // Returns the first property that librdkafka does not accept, and why; empty: none.
    std::string check() {
        std::string wrong;
        rd_kafka_conf_t* properties = make_properties(wrong);
        rd_kafka_conf_destroy(properties);
        return wrong;
    }

    Sent send(std::span<const Record> records) override {
        std::string error;
        if (producer_ == nullptr && !connect(error))
            return {0, Sent::Outcome::retry, error};
        Flight flight{std::vector(records.size(), RD_KAFKA_RESP_ERR__STATE), 0};
        std::vector<Place> places(records.size());
        for (std::size_t i = 0; i < records.size(); ++i) {
            places[i] = {&flight, i};
            if (!produce(records[i], places[i]))
                break;
            ++flight.waiting;
        }
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (flight.waiting > 0 && std::chrono::steady_clock::now() < end)
            rd_kafka_poll(producer_, kPollMs);
        std::size_t delivered = 0;
        while (delivered < records.size() &&
               flight.results[delivered] == RD_KAFKA_RESP_ERR_NO_ERROR)
            ++delivered;
        if (delivered == records.size())
            return {delivered, Sent::Outcome::done, ""};
        const rd_kafka_resp_err_t first = flight.results[delivered];
        if (first == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && flight.waiting == 0)
            return {delivered, Sent::Outcome::refused, rd_kafka_err2str(first)};
        disconnect(); // all reports have come before it returns, while `flight` is still there
        return {delivered, Sent::Outcome::retry, rd_kafka_err2str(first)};
    }

  private:
    rd_kafka_conf_t* make_properties(std::string& wrong) {
        rd_kafka_conf_t* properties = rd_kafka_conf_new();
        const auto set = [&](const std::string& name, const std::string& value) {
            char reason[256] = "";
            if (rd_kafka_conf_set(properties, name.c_str(), value.c_str(), reason, sizeof reason) !=
                    RD_KAFKA_CONF_OK &&
                wrong.empty())
                wrong = reason;
        };
        set("bootstrap.servers", options_.text("brokers"));
        set("client.id", "tiercel-courier");
        set("enable.idempotence", "true");
        set("message.timeout.ms", kTimeoutMs);
        set("linger.ms", "5");
        set("log_level", "0");
        for (const std::string& property : options_.list("properties")) {
            const std::size_t equal = property.find('=');
            if (equal == std::string::npos)
                wrong = "'" + property + "' is not NAME=VALUE";
            else
                set(property.substr(0, equal), property.substr(equal + 1));
        }
        rd_kafka_conf_set_dr_msg_cb(properties, note_report);
        return properties;
    }

    bool connect(std::string& error) {
        char reason[256] = "";
        rd_kafka_conf_t* properties = make_properties(error);
        producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, properties, reason, sizeof reason);
        if (producer_ != nullptr)
            return true;
        rd_kafka_conf_destroy(properties);
        error = reason;
        return false;
    }

    bool produce(const Record& record, Place& place) {
        const std::string id = id_of(record);
        rd_kafka_vu_t values[6] = {};
        values[0].vtype = RD_KAFKA_VTYPE_TOPIC;
        values[0].u.cstr = options_.text("topic").c_str();
        values[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        values[1].u.i = RD_KAFKA_MSG_F_COPY;
        values[2].vtype = RD_KAFKA_VTYPE_KEY;
        values[2].u.mem = {const_cast<char*>(record.host.data()), record.host.size()};
        values[3].vtype = RD_KAFKA_VTYPE_VALUE;
        values[3].u.mem = {const_cast<char*>(record.text.data()), record.text.size()};
        values[4].vtype = RD_KAFKA_VTYPE_HEADER;
        values[4].u.header = {"id", id.data(), static_cast<ssize_t>(id.size())};
        values[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
        values[5].u.ptr = &place;
        rd_kafka_error_t* failure = rd_kafka_produceva(producer_, values, std::size(values));
        const rd_kafka_resp_err_t error =
            failure == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(failure);
        rd_kafka_error_destroy(failure);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            place.flight->results[place.index] = error;
        return error == RD_KAFKA_RESP_ERR_NO_ERROR;
    }

    void disconnect() {
        if (producer_ == nullptr)
            return;
        rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(producer_, 1000); // delivers the reports of the purged messages
        rd_kafka_destroy(producer_);
        producer_ = nullptr;
    }

    Options options_;
    rd_kafka_t* producer_ = nullptr;
};

} // namespace

Made make_kafka(const Options& options) {
    auto kafka = std::make_unique<Kafka>(options);
    if (std::string wrong = kafka->check(); !wrong.empty())
        return {nullptr, std::move(wrong)};
    return {std::move(kafka), ""};
}

} // namespace tiercel::courier
