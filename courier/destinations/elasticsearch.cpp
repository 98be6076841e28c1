// SPDX-License-Identifier: Apache-2.0
//
// The bulk API of Elasticsearch and OpenSearch: POST /INDEX/_bulk, a line with the action and a
// line with the document for each alert. The alert's id is the document's, so that a duplicate is
// answered by 409 and not indexed again.
#include <charconv>

#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"
#include "courier/destinations/http_client.h"

namespace tiercel::courier {

namespace {

// `filter_path` leaves nothing but the flag and a status for each document.
constexpr const char* kSuffix = "/_bulk?filter_path=errors,items.*.status";
constexpr int kConflict = 409, kTooMany = 429;

// Reads the status of each document, in order. Stops at the first that is no success.
Sent judge_items(std::string_view body, std::size_t records) {
    constexpr std::string_view kKey = "\"status\":";
    std::size_t delivered = 0;
    while (delivered < records) {
        const std::size_t at = body.find(kKey);
        if (at == std::string_view::npos)
            return {delivered, Sent::Outcome::retry, "the answer has no status for each alert"};
        body.remove_prefix(at + kKey.size());
        int status = 0;
        std::from_chars(body.data(), body.data() + body.size(), status);
        if ((status < 200 || status >= 300) && status != kConflict) {
            const bool again = status == kTooMany || status >= 500 || status == 0;
            return {delivered, again ? Sent::Outcome::retry : Sent::Outcome::refused,
                    "the document's status is " + std::to_string(status)};
        }
        ++delivered;
    }
    return {delivered, Sent::Outcome::done, ""};
}

// A data stream takes only documents with @timestamp, and an index shows them by it.
void append_document(std::string& lines, const Record& record) {
    std::string_view rest = record.text;
    if (rest.starts_with("{\"")) {
        lines += R"({"@timestamp":")" + iso_time(record.time_ns) + "\",";
        rest.remove_prefix(1);
    }
    lines.append(rest) += '\n';
}

class Elasticsearch : public Destination {
  public:
    explicit Elasticsearch(const Options& options)
        : client_(options), suffix_('/' + options.text("index") + kSuffix) {}

    Sent send(std::span<const Record> records) override {
        std::string lines;
        for (const Record& record : records) {
            lines += R"({"create":{"_id":")" + short_id_of(record) + "\"}}\n";
            append_document(lines, record);
        }
        const HttpClient::Answer answer =
            client_.post(lines, suffix_, {"Content-Type: application/x-ndjson"});
        Sent sent = HttpClient::judge(answer, records.size());
        if (sent.outcome == Sent::Outcome::done &&
            answer.body.find("\"errors\":false") == std::string::npos)
            return judge_items(answer.body, records.size());
        return sent;
    }

  private:
    HttpClient client_;
    std::string suffix_;
};

} // namespace

Made make_elasticsearch(const Options& options) {
    return make_http_based<Elasticsearch>(options);
}

} // namespace tiercel::courier
