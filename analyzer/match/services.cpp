// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/services.h"

#include <fstream>
#include <sstream>
#include <string>
#include <unordered_map>

namespace tiercel::filter {

namespace {

struct Service {
    std::string_view name;
    std::uint16_t port;
};

// Registered with IANA: https://www.iana.org/assignments/service-names-port-numbers
constexpr Service kUsual[] = {
    {"ftp", 21},       {"ssh", 22},          {"telnet", 23},      {"smtp", 25},
    {"domain", 53},    {"tftp", 69},         {"http", 80},        {"kerberos", 88},
    {"pop3", 110},     {"sunrpc", 111},      {"ntp", 123},        {"imap", 143},
    {"imap2", 143},    {"snmp", 161},        {"irc", 194},        {"ldap", 389},
    {"https", 443},    {"syslog", 514},      {"submission", 587}, {"ldaps", 636},
    {"domain-s", 853}, {"rsync", 873},       {"imaps", 993},      {"pop3s", 995},
    {"socks", 1080},   {"openvpn", 1194},    {"ms-sql-s", 1433},  {"nfs", 2049},
    {"mysql", 3306},   {"postgresql", 5432}, {"amqp", 5672},      {"redis", 6379},
    {"ircd", 6667},    {"http-alt", 8080},
};

using Ports = std::unordered_map<std::string, std::int64_t>;

// Adds the services of a line of services(5): a name, PORT/PROTOCOL, aliases.
void add_line(const std::string& line, Ports& ports) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    std::int64_t port = 0;
    char slash = 0;
    std::string protocol;
    if (!(words >> name >> port >> slash >> protocol) || slash != '/')
        return;
    do
        ports.emplace(name, port); // the first line of a name counts
    while (words >> name);
}

Ports read_ports() {
    Ports ports;
    std::ifstream file("/etc/services");
    for (std::string line; std::getline(file, line);)
        add_line(line, ports);
    for (const Service& service : kUsual)
        ports.emplace(service.name, service.port);
    return ports;
}

const Ports& known_ports() {
    static const Ports kPorts = read_ports();
    return kPorts;
}

} // namespace

void read_services() {
    (void)known_ports();
}

bool find_service_port(std::string_view name, std::int64_t& port) {
    const auto found = known_ports().find(std::string(name));
    if (found == known_ports().end())
        return false;
    port = found->second;
    return true;
}

} // namespace tiercel::filter
