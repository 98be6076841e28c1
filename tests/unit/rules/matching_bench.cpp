// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/rules/matching_bench.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>

#include "analyzer/rules/rule_engine.h"
#include "tests/unit/rules/busy_server.h"
#include "tests/unit/rules/test_fields.h"

namespace tiercel::rules {

namespace {

using namespace busy_server;
using Event = std::map<std::string, std::vector<std::string>>;

Event make_event(std::mt19937& random, const std::string& type) {
    const std::string program = kPrograms[random() % std::size(kPrograms)];
    const std::string file = kFiles[random() % std::size(kFiles)];
    const bool in_container = random() % 3 == 0;
    Event event = {{"evt.type", {type}},
                   {"proc.name", {program}},
                   {"proc.exe", {"/usr/bin/" + program}},
                   {"proc.exepath", {"/usr/bin/" + program}},
                   {"proc.pname", {"systemd"}},
                   {"proc.cmdline", {program + " --some --arguments of/usual length"}},
                   {"proc.args", {"--some --arguments of/usual length"}},
                   {"proc.cwd", {"/srv/"}},
                   {"proc.aname", {program, "bash", "systemd"}},
                   {"proc.pcmdline", {"/sbin/init"}},
                   {"proc.pexe", {"/sbin/init"}},
                   {"proc.tty", {"0"}},
                   {"proc.duration", {"9000000000"}},
                   {"proc.is_exe_upper_layer", {"false"}},
                   {"proc.is_exe_from_memfd", {"false"}},
                   {"user.name", {"www-data"}},
                   {"user.uid", {"33"}},
                   {"evt.num", {"7"}},
                   {"evt.failed", {"false"}},
                   {"evt.res", {"SUCCESS"}},
                   {"evt.rawres", {"3"}},
                   {"container.id", {in_container ? "0123456789ab" : "host"}}};
    if (type == "openat" || type == "read" || type == "write" || type == "close") {
        const bool write = random() % 4 == 0;
        event.insert({{"fd.name", {file}},
                      {"fd.nameraw", {file}},
                      {"fd.num", {"3"}},
                      {"fd.typechar", {"f"}},
                      {"fd.directory", {file.substr(0, file.rfind('/'))}},
                      {"fd.filename", {file.substr(file.rfind('/') + 1)}},
                      {"evt.is_open_read", {write ? "false" : "true"}},
                      {"evt.is_open_write", {write ? "true" : "false"}},
                      {"evt.arg.flags", {"O_RDONLY|O_CLOEXEC"}}});
    }
    if (type == "connect") {
        event.insert({{"fd.typechar", {"4"}},
                      {"fd.ip", {"10.1.2.3", "93.184.216.34"}},
                      {"fd.l4proto", {"tcp"}},
                      {"fd.net", {"10.1.2.3", "93.184.216.34"}},
                      {"fd.snet", {"93.184.216.34"}},
                      {"fd.sip", {"93.184.216.34"}},
                      {"fd.sport", {"443"}},
                      {"fd.name", {"10.1.2.3:40000->93.184.216.34:443"}}});
    }
    return event;
}

// Events with their values worked out beforehand: fetching is an array look-up.
class Recording : public filter::FieldSource {
  public:
    Recording(const TestFields& fields, std::uint32_t field_count) {
        std::mt19937 random(1);
        for (const Share& share : kShares) {
            for (unsigned i = 0; i < share.percent * 10; ++i)
                events_.push_back(
                    std::make_unique<TestEvent>(fields, make_event(random, share.type)));
        }
        std::shuffle(events_.begin(), events_.end(), random);
        for (const auto& event : events_) {
            kinds_.push_back(event->kind());
            auto& values = values_.emplace_back();
            for (std::uint32_t id = 0; id < field_count; ++id) {
                filter::Value unused;
                values.push_back(event->fetch(id, unused));
            }
        }
    }
    void select(std::size_t index) { current_ = values_[index % values_.size()].data(); }
    filter::EventKind kind(std::size_t index) const { return kinds_[index % kinds_.size()]; }
    filter::Values fetch(std::uint32_t id, filter::Value&) override { return current_[id]; }

  private:
    std::vector<std::unique_ptr<TestEvent>> events_;
    std::vector<filter::EventKind> kinds_;
    std::vector<std::vector<filter::Values>> values_;
    const filter::Values* current_ = nullptr;
};

MatchingFigure measure(const std::string& name, const Loaded& loaded, const TestFields& fields,
                       std::uint64_t events) {
    if (!loaded.rules)
        throw std::runtime_error("the rules to measure do not load");
    filter::Matcher matcher(loaded.rules->program);
    Recording recording(fields, fields.count());
    MatchingFigure figure{name, 0, 0, 0};
    std::uint64_t fetches = 0;
    for (int round = 0; round < 2; ++round) { // the first warms up
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < events; ++i) {
            recording.select(i);
            figure.matches += matcher.match(recording.kind(i), recording, false).size();
            fetches += matcher.fetched();
        }
        const std::chrono::duration<double, std::nano> taken =
            std::chrono::steady_clock::now() - start;
        figure.ns_per_event = taken.count() / static_cast<double>(events);
    }
    figure.fetches_per_event = static_cast<double>(fetches) / 2 / static_cast<double>(events);
    return figure;
}

} // namespace

std::string generated_rules(unsigned count) {
    const char* const shapes[] = {
        "evt.type in (open, openat, openat2) and evt.is_open_write=true and fd.name startswith "
        "/srv/app@/",
        "evt.type in (open, openat, openat2) and evt.is_open_read=true and (fd.name=/etc/secret@ "
        "or fd.directory=/etc/d@)",
        "evt.type in (execve, execveat) and proc.name=tool@ and not proc.pname in (sh, make@)",
        "evt.type in (execve, execveat) and container.id!=host and proc.cmdline contains "
        "\"--flag@\"",
        "evt.type=connect and fd.sport in (4@, 5@) and not proc.name in (a@, b@)",
        "evt.type in (unlink, unlinkat) and proc.name in (x@, y@) and user.uid=@",
    };
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
        std::string condition = shapes[i % std::size(shapes)];
        for (std::size_t at = condition.find('@'); at != std::string::npos;
             at = condition.find('@'))
            condition.replace(at, 1, std::to_string(i));
        text += "- rule: R" + std::to_string(i) +
                "\n  desc: d\n  output: o\n  priority: INFO\n  condition: >\n    " + condition +
                '\n';
    }
    return text;
}

std::vector<MatchingFigure> bench_matching(const std::string& rule_file, std::uint64_t events) {
    std::vector<MatchingFigure> figures;
    if (!rule_file.empty()) {
        TestFields fields;
        LoadOptions options;
        options.fields = &fields;
        figures.push_back(measure("stock rules", load_files({rule_file}, options), fields, events));
    }
    for (const unsigned count : {25U, 100U, 500U, 2000U}) {
        TestFields fields;
        LoadOptions options;
        options.fields = &fields;
        const Loaded loaded = load_texts({{"generated", generated_rules(count)}}, options);
        figures.push_back(measure(std::to_string(count) + " rules", loaded, fields, events));
    }
    return figures;
}

} // namespace tiercel::rules
