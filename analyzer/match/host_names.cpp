// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/host_names.h"

#include <arpa/inet.h>

#include <deque>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace tiercel::filter {

namespace {

struct Hosts {
    std::deque<std::string> texts;
    std::unordered_map<std::string, std::vector<std::string_view>> by_address;
};

// Returns the bytes of an address, or nothing if `text` is none.
std::string parse_address(const std::string& text) {
    char bytes[16];
    if (inet_pton(AF_INET, text.c_str(), bytes) == 1)
        return {bytes, 4};
    if (inet_pton(AF_INET6, text.c_str(), bytes) == 1)
        return {bytes, 16};
    return {};
}

// Adds a line of hosts(5): an address and its names.
void add_line(const std::string& line, Hosts& hosts) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    words >> word;
    const std::string address = parse_address(word);
    while (!address.empty() && words >> word)
        hosts.by_address[address].emplace_back(hosts.texts.emplace_back(word));
}

const Hosts& hosts() {
    static const Hosts kHosts = [] {
        Hosts read;
        std::ifstream file("/etc/hosts");
        for (std::string line; std::getline(file, line);)
            add_line(line, read);
        return read;
    }();
    return kHosts;
}

} // namespace

void read_host_names() {
    (void)hosts();
}

std::span<const std::string_view> find_host_names(std::string_view address) {
    const auto found = hosts().by_address.find(std::string(address));
    return found == hosts().by_address.end() ? std::span<const std::string_view>() : found->second;
}

} // namespace tiercel::filter
