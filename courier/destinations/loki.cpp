// SPDX-License-Identifier: Apache-2.0
//
// Loki's push API, POST /loki/api/v1/push, in JSON. Loki itself recognises a duplicate: an entry
// with the same time, labels and line.
#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"
#include "courier/destinations/http_client.h"
#include "shared/escape/escape.h"

namespace tiercel::courier {

namespace {

class Loki : public Destination {
  public:
    explicit Loki(const Options& options) : client_(options) {
        for (const std::string& label : options.list("labels")) {
            const std::size_t equal = label.find('=');
            labels_ += ',';
            escape::append_json(labels_, std::string_view(label).substr(0, equal));
            labels_ += ':';
            escape::append_json(labels_, equal == std::string::npos
                                             ? std::string_view()
                                             : std::string_view(label).substr(equal + 1));
        }
    }

    // Each run of records with the same labels is a stream of the request.
    Sent send(std::span<const Record> records) override {
        std::string json = R"({"streams":[)", last;
        for (const Record& record : records) {
            const std::string labels = labels_of(record);
            if (labels != last) {
                json += last.empty() ? "" : "]},";
                json += R"({"stream":)" + labels + R"(,"values":[)";
                last = labels;
            } else {
                json += ',';
            }
            json += "[\"" + std::to_string(record.time_ns) + "\",";
            escape::append_json(json, record.text);
            json += ']';
        }
        json += "]}]}";
        return HttpClient::judge(
            client_.post(json, "/loki/api/v1/push", {"Content-Type: application/json"}),
            records.size());
    }

  private:
    std::string labels_of(const Record& record) const {
        std::string labels = R"({"job":"tiercel","hostname":)";
        escape::append_json(labels, record.host);
        labels += R"(,"priority":)";
        escape::append_json(labels, priority_of(record));
        labels += R"(,"rule":)";
        escape::append_json(labels, record.rule);
        return labels + labels_ + '}';
    }
    HttpClient client_;
    std::string labels_;
};

} // namespace

Made make_loki(const Options& options) {
    return make_http_based<Loki>(options);
}

} // namespace tiercel::courier
