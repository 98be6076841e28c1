// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "courier/config/config.h"

using namespace tiercel::courier;

namespace {

std::string first_fault(std::string_view text) {
    Config config;
    const auto wrong = read_config(text, config);
    return wrong.empty() ? "" : wrong.front();
}

} // namespace

TEST_CASE("the configuration has defaults, units and destinations") {
    Config config;
    CHECK(read_config("spool: {max_bytes: 64M, max_age: 12h}\n"
                      "destinations:\n"
                      "- {name: siem, type: elasticsearch, url: 'https://es:9200', "
                      "headers: ['Authorization: ApiKey x']}\n"
                      "- {name: bus, type: nats, servers: 'tls://bus:4222'}\n",
                      config)
              .empty());
    CHECK(config.courier.number("spool.max_bytes") == 64 << 20);
    CHECK(config.courier.number("spool.max_age") == 12 * 3600);
    CHECK(config.courier.number("retry.max") == 30);
    CHECK(config.courier.text("spool.sync") == "interval");
    REQUIRE(config.destinations.size() == 2);
    CHECK(config.destinations[0].kind == Kind::elasticsearch);
    CHECK(config.destinations[0].text("index") == "tiercel");
    CHECK(config.destinations[0].number("timeout") == 10);
    CHECK(config.destinations[0].flag("keep_alive"));
    CHECK(config.destinations[0].list("headers") ==
          std::vector<std::string>{"Authorization: ApiKey x"});
    CHECK(config.destinations[1].text("subject") == "tiercel.alerts");
}

TEST_CASE("every fault is said with its line") {
    CHECK(first_fault("spol: {}").find("line 1: unknown key 'spol'") == 0);
    CHECK(first_fault("\nspool: {max_bytes: many}").find("line 2: 'spool.max_bytes' must be") == 0);
    CHECK(first_fault("spool: {max_age: 5x}").find("must be a time") != std::string::npos);
    CHECK(first_fault("destinations: {}").find("must be a sequence") != std::string::npos);
    CHECK(first_fault("destinations: [{type: http}]").find("'name'") != std::string::npos);
    CHECK(first_fault("destinations: [{name: a, type: mail}]").find("no known 'type'") !=
          std::string::npos);
    CHECK(first_fault("destinations: [{name: a, type: http}]").find("has no 'url'") !=
          std::string::npos);
    CHECK(first_fault("destinations: [{name: a, type: kafka, brokers: b, subject: x}]")
              .find("unknown key 'subject'") != std::string::npos);
    CHECK(first_fault("destinations: [{name: a, type: nats, servers: s}, "
                      "{name: a, type: nats, servers: s}]")
              .find("two destinations") != std::string::npos);
    CHECK(first_fault("a: [").find("not YAML") != std::string::npos);
}

TEST_CASE("http_output of a falco.yaml becomes a destination") {
    Config config;
    CHECK(read_falco_config("json_output: true\nhttp_output: {enabled: false, url: x}\n", config)
              .empty());
    CHECK(config.destinations.empty());
    CHECK(read_falco_config("http_output:\n  enabled: true\n  url: http://sidekick:2801/\n"
                            "  user_agent: falcosecurity/falco\n  insecure: false\n"
                            "  ca_cert: ''\n  ca_bundle: ''\n  ca_path: /etc/ssl/certs\n"
                            "  mtls: false\n  client_cert: /c\n  client_key: /k\n  echo: false\n"
                            "  compress_uploads: false\n  keep_alive: false\n"
                            "  max_consecutive_timeouts: 5\n",
                            config)
              .empty());
    REQUIRE(config.destinations.size() == 1);
    CHECK(config.destinations[0].name == "http_output");
    CHECK(config.destinations[0].text("url") == "http://sidekick:2801/");
    CHECK_FALSE(config.destinations[0].flag("keep_alive"));
    CHECK(config.destinations[0].flag("plain_text"));
}

TEST_CASE("only this machine may be reached without TLS") {
    for (const char* local : {"http://localhost/x", "http://127.0.0.1:9/", "http://[::1]:80/",
                              "localhost:514", "http://u:p@localhost:1/"})
        CHECK(is_local(local));
    for (const char* remote : {"http://localhost.example/", "http://127.example:1/",
                               "http://example/localhost", "http://localhost@example/", "log:514"})
        CHECK_FALSE(is_local(remote));
}
