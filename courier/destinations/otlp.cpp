// SPDX-License-Identifier: Apache-2.0
//
// OTLP over HTTP with JSON, POST /v1/logs (opentelemetry-proto, ExportLogsServiceRequest).
#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"
#include "courier/destinations/http_client.h"
#include "shared/escape/escape.h"

namespace tiercel::courier {

namespace {

// SeverityNumber of the log data model, as its appendix maps syslog's severities.
constexpr int kSeverities[kPriorities] = {21, 19, 18, 17, 13, 10, 9, 5};

void append_attribute(std::string& json, std::string_view key, std::string_view value) {
    json += R"({"key":)";
    escape::append_json(json, key);
    json += R"(,"value":{"stringValue":)";
    escape::append_json(json, value);
    json += "}}";
}

void append_log(std::string& json, const Record& record) {
    json += R"({"timeUnixNano":")" + std::to_string(record.time_ns) + R"(","severityNumber":)" +
            std::to_string(kSeverities[record.priority]) + R"(,"severityText":)";
    escape::append_json(json, priority_of(record));
    json += R"(,"body":{"stringValue":)";
    escape::append_json(json, record.text);
    json += R"(},"attributes":[)";
    append_attribute(json, "log.record.uid", id_of(record));
    json += ',';
    append_attribute(json, "rule", record.rule);
    json += "]}";
}

class Otlp : public Destination {
  public:
    explicit Otlp(const Options& options) : client_(options) {}

    // Each run of records of the same host is a resource of the request.
    Sent send(std::span<const Record> records) override {
        std::string json = R"({"resourceLogs":[)";
        const Record* last = nullptr;
        for (const Record& record : records) {
            if (last == nullptr || last->host != record.host) {
                json += last == nullptr ? "" : "]}]},";
                json += R"({"resource":{"attributes":[)";
                append_attribute(json, "service.name", "tiercel");
                json += ',';
                append_attribute(json, "host.name", record.host);
                json += R"(]},"scopeLogs":[{"scope":{"name":"tiercel"},"logRecords":[)";
            } else {
                json += ',';
            }
            append_log(json, record);
            last = &record;
        }
        json += "]}]}]}";
        return HttpClient::judge(client_.post(json, "/v1/logs", {"Content-Type: application/json"}),
                                 records.size());
    }

  private:
    HttpClient client_;
};

} // namespace

Made make_otlp(const Options& options) {
    return make_http_based<Otlp>(options);
}

} // namespace tiercel::courier
