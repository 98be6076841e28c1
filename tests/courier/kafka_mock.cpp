// SPDX-License-Identifier: Apache-2.0
//
// kafka_mock: librdkafka's mock cluster with the topic `alerts`. Prints the brokers' addresses; for
// a number on standard input, consumes as many messages and prints "ID TEXT" for each. Ends with
// its input. With BROKERS and TOPIC it reads that topic of a real cluster instead.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdio>
#include <string>

namespace {

constexpr int kPatienceMs = 20'000;

rd_kafka_t* make(rd_kafka_type_t type, const char* brokers) {
    char reason[256];
    rd_kafka_conf_t* properties = rd_kafka_conf_new();
    rd_kafka_conf_set(properties, "bootstrap.servers", brokers, reason, sizeof reason);
    rd_kafka_conf_set(properties, "group.id", "test", reason, sizeof reason);
    rd_kafka_conf_set(properties, "log_level", "0", reason, sizeof reason);
    return rd_kafka_new(type, properties, reason, sizeof reason);
}

void print(const rd_kafka_message_t* message) {
    rd_kafka_headers_t* headers = nullptr;
    const void* id = "";
    std::size_t size = 0;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_header_get_last(headers, "id", &id, &size);
    printf("%.*s %.*s\n", static_cast<int>(size), static_cast<const char*>(id),
           static_cast<int>(message->len), static_cast<const char*>(message->payload));
}

} // namespace

int main(int argc, char** argv) {
    const char* topic = argc == 3 ? argv[2] : "alerts";
    rd_kafka_t* owner = make(RD_KAFKA_PRODUCER, "");
    rd_kafka_mock_cluster_t* cluster = nullptr;
    std::string brokers = argc == 3 ? argv[1] : "";
    if (brokers.empty()) {
        cluster = rd_kafka_mock_cluster_new(owner, 2);
        rd_kafka_mock_topic_create(cluster, topic, 1, 1);
        brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    }
    printf("%s\n", brokers.c_str());
    fflush(stdout);
    int wanted = 0;
    if (scanf("%d", &wanted) == 1) {
        rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, brokers.c_str());
        rd_kafka_poll_set_consumer(consumer);
        rd_kafka_topic_partition_list_t* parts = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(parts, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
        rd_kafka_assign(consumer, parts);
        while (wanted > 0) {
            rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, kPatienceMs);
            if (message == nullptr)
                break;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                print(message);
                --wanted;
            }
            rd_kafka_message_destroy(message);
        }
        printf("\n");
        fflush(stdout);
        rd_kafka_topic_partition_list_destroy(parts);
        rd_kafka_consumer_close(consumer);
        rd_kafka_destroy(consumer);
        while (getchar() != EOF) {
        }
    }
    if (cluster != nullptr)
        rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(owner);
}
