// SPDX-License-Identifier: Apache-2.0
//
// NATS JetStream. The header Nats-Msg-Id has the alert's id, so that the stream drops a duplicate
// that arrives within its duplicate window.
#include <nats/nats.h>

#include <map>
#include <mutex>

#include "courier/delivery/text.h"
#include "courier/destinations/destinations.h"

namespace tiercel::courier {

namespace {

constexpr std::int64_t kPatienceMs = 10'000;

class Nats : public Destination {
  public:
    explicit Nats(const Options& options) : options_(options) {}
    ~Nats() override { disconnect(); }

    // Publishes the records without waiting for each, then waits for all acknowledgements.
    Sent send(std::span<const Record> records) override {
        if (connection_ == nullptr)
            if (const natsStatus status = connect(); status != NATS_OK)
                return give_up(0, natsStatus_GetText(status));
        {
            const std::lock_guard lock(mutex_);
            failed_.clear();
        }
        std::map<std::string, std::size_t> places;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const std::string id = id_of(records[i]);
            places[id] = i;
            if (const natsStatus status = publish(records[i], id); status != NATS_OK)
                return give_up(0, natsStatus_GetText(status));
        }
        jsPubOptions patience;
        jsPubOptions_Init(&patience);
        patience.MaxWait = kPatienceMs;
        if (const natsStatus status = js_PublishAsyncComplete(stream_, &patience);
            status != NATS_OK)
            return give_up(0, natsStatus_GetText(status));
        const std::lock_guard lock(mutex_);
        std::size_t delivered = records.size();
        std::string error;
        for (const auto& [id, reason] : failed_)
            if (places.contains(id) && places[id] < delivered) {
                delivered = places[id];
                error = reason;
            }
        if (delivered == records.size())
            return {delivered, Sent::Outcome::done, ""};
        return {delivered, Sent::Outcome::retry, error};
    }

  private:
    natsStatus connect() {
        natsOptions* natively = nullptr;
        natsStatus status = natsOptions_Create(&natively);
        const auto step = [&status](natsStatus next) {
            status = status == NATS_OK ? next : status;
        };
        const auto text = [this](const char* key) { return options_.text(key).c_str(); };
        const auto given = [this](const char* key) { return !options_.text(key).empty(); };
        step(natsOptions_SetURL(natively, text("servers")));
        step(natsOptions_SetName(natively, "tiercel-courier"));
        step(natsOptions_SetAllowReconnect(natively, false));
        step(natsOptions_SetTimeout(natively, kPatienceMs));
        if (given("ca_cert"))
            step(natsOptions_LoadCATrustedCertificates(natively, text("ca_cert")));
        if (given("client_cert"))
            step(natsOptions_LoadCertificatesChain(natively, text("client_cert"),
                                                   text("client_key")));
        if (given("credentials"))
            step(natsOptions_SetUserCredentialsFromFiles(natively, text("credentials"), nullptr));
        if (status == NATS_OK)
            status = natsConnection_Connect(&connection_, natively);
        natsOptions_Destroy(natively);
        jsOptions options;
        jsOptions_Init(&options);
        options.PublishAsync.ErrHandler = note_failure;
        options.PublishAsync.ErrHandlerClosure = this;
        if (status == NATS_OK)
            status = natsConnection_JetStream(&stream_, connection_, &options);
        return status;
    }

    natsStatus publish(const Record& record, const std::string& id) {
        natsMsg* message = nullptr;
        natsStatus status =
            natsMsg_Create(&message, options_.text("subject").c_str(), nullptr, record.text.data(),
                           static_cast<int>(record.text.size()));
        if (status != NATS_OK)
            return status;
        jsPubOptions options;
        jsPubOptions_Init(&options);
        options.MsgId = id.c_str();
        status = js_PublishMsgAsync(stream_, &message, &options);
        natsMsg_Destroy(message); // null when the library has taken it
        return status;
    }

    // Is called by a thread of the library.
    static void note_failure(jsCtx*, jsPubAckErr* failure, void* closure) {
        auto& self = *static_cast<Nats*>(closure);
        const char* id = nullptr;
        if (natsMsgHeader_Get(failure->Msg, "Nats-Msg-Id", &id) != NATS_OK)
            return;
        const std::lock_guard lock(self.mutex_);
        self.failed_[id] =
            failure->ErrText != nullptr ? failure->ErrText : natsStatus_GetText(failure->Err);
    }

    Sent give_up(std::size_t delivered, std::string error) {
        disconnect();
        return {delivered, Sent::Outcome::retry, std::move(error)};
    }

    void disconnect() {
        jsCtx_Destroy(stream_);
        natsConnection_Destroy(connection_);
        stream_ = nullptr;
        connection_ = nullptr;
    }

    Options options_;
    natsConnection* connection_ = nullptr;
    jsCtx* stream_ = nullptr;
    std::mutex mutex_;
    std::map<std::string, std::string> failed_; // why, by id
};

} // namespace

Made make_nats(const Options& options) {
    if (options.text("client_cert").empty() != options.text("client_key").empty())
        return {nullptr, "client_cert and client_key belong together"};
    if (std::string wrong =
            unreadable_file(options, {"ca_cert", "client_cert", "client_key", "credentials"});
        !wrong.empty())
        return {nullptr, std::move(wrong)};
    return {std::make_unique<Nats>(options), ""};
}

} // namespace tiercel::courier
