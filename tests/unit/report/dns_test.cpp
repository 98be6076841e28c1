// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/report/dns.h"
#include "tests/unit/report/incident.h"

using namespace tiercel;

namespace {

event::Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

constexpr state::Address kHost{192, 0, 2, 80};

} // namespace

TEST_CASE("an answer gives the address its name") {
    report::DnsNames names;
    names.learn(bytes_of(test::dns_answer("www.example.org", 80)));
    CHECK(names.find(kHost) == "www.example.org");
    CHECK(names.find({192, 0, 2, 81}).empty());
}

TEST_CASE("an answer that is cut anywhere is no fault, and names nothing wrong") {
    const std::string whole = test::dns_answer("www.example.org", 80);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        report::DnsNames names;
        // A copy of its own, so that a read beyond the end is found by the sanitizers.
        const std::string part = whole.substr(0, length);
        names.learn(bytes_of(part));
        CAPTURE(length);
        CHECK(names.find(kHost).empty());
    }
}

TEST_CASE("a question is not learned from") {
    std::string question = test::dns_answer("www.example.org", 80);
    question[2] = 1;
    report::DnsNames names;
    names.learn(bytes_of(question));
    CHECK(names.find(kHost).empty());
}

TEST_CASE("a later answer replaces the name, and other bytes do nothing") {
    report::DnsNames names;
    names.learn(bytes_of(test::dns_answer("one.example", 80)));
    names.learn(bytes_of(std::string(80, '\xff')));
    names.learn(bytes_of(test::dns_answer("two.example", 80)));
    CHECK(names.find(kHost) == "two.example");
}
