// SPDX-License-Identifier: Apache-2.0
#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"
#include "courier/destinations/http_client.h"

namespace tiercel::courier {

namespace {

// Posts each alert in a request of its own, as Falco's http_output does.
class Http : public Destination {
  public:
    explicit Http(const Options& options) : client_(options) {}

    Sent send(std::span<const Record> records) override {
        std::size_t delivered = 0;
        for (const Record& record : records) {
            Sent sent = HttpClient::judge(
                client_.post(std::string(record.text), "",
                             {"Content-Type: application/json", "X-Tiercel-Id: " + id_of(record)}),
                1);
            if (sent.outcome != Sent::Outcome::done) {
                sent.delivered = delivered;
                return sent;
            }
            ++delivered;
        }
        return {delivered, Sent::Outcome::done, ""};
    }
    std::size_t most_records() const override { return 64; }

  private:
    HttpClient client_;
};

} // namespace

Made make_http(const Options& options) {
    return make_http_based<Http>(options);
}

} // namespace tiercel::courier
