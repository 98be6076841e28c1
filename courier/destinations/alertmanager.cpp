// SPDX-License-Identifier: Apache-2.0
//
// Alertmanager's API v2, POST /api/v2/alerts: alerts with the same labels are one alert, which
// counts as over some minutes after it was last sent (resolve_timeout).
#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"
#include "courier/destinations/http_client.h"
#include "shared/escape/escape.h"

namespace tiercel::courier {

namespace {

void append_alert(std::string& json, const Record& record) {
    json += R"({"labels":{"alertname":)";
    escape::append_json(json, record.rule.empty() ? "Tiercel" : record.rule);
    json += R"(,"source":"tiercel","hostname":)";
    escape::append_json(json, record.host);
    json += R"(,"priority":)";
    escape::append_json(json, priority_of(record));
    json += R"(},"startsAt":)";
    escape::append_json(json, iso_time(record.time_ns));
    json += R"(,"annotations":{"id":)";
    escape::append_json(json, id_of(record));
    json += R"(,"alert":)";
    escape::append_json(json, record.text);
    json += "}}";
}

class Alertmanager : public Destination {
  public:
    explicit Alertmanager(const Options& options) : client_(options) {}

    Sent send(std::span<const Record> records) override {
        std::string json = "[";
        for (const Record& record : records) {
            json += json.size() > 1 ? "," : "";
            append_alert(json, record);
        }
        json += ']';
        return HttpClient::judge(
            client_.post(json, "/api/v2/alerts", {"Content-Type: application/json"}),
            records.size());
    }

  private:
    HttpClient client_;
};

} // namespace

Made make_alertmanager(const Options& options) {
    return make_http_based<Alertmanager>(options);
}

} // namespace tiercel::courier
