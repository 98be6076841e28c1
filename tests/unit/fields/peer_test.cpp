// SPDX-License-Identifier: Apache-2.0
//
// The captures of shared/peer beside the repository, line for line against what Falco printed for
// them, as they are and once more written anew by our own writer: that must lose nothing either.
// The first line of each text holds the format. Where the folder is absent, the test says so and
// counts as skipped (exit code 77).
#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "analyzer/capture/reader.h"
#include "analyzer/capture/writer.h"
#include "analyzer/fields/format.h"

using namespace tiercel;

namespace {

constexpr int kSkipped = 77;
constexpr int kShownDifferences = 10;

// Lines that may differ, with the reason. Empty: all are equal.
struct Allowed {
    const char* file;
    const char* line; // how Falco's line begins
    const char* reason;
};
constexpr std::array<Allowed, 0> kAllowed{};

bool is_allowed(const std::string& file, const std::string& line) {
    for (const Allowed& row : kAllowed)
        if (file.starts_with(row.file) && line.starts_with(row.line))
            return true;
    return false;
}

// Falco prints no enter events, but counts them.
bool is_printed(const event::EventView& event) {
    return event.info().is_exit() || event.info().origin != event::Origin::SYSCALL;
}

// The lines were taken from JSON with the escapes of quotes and backslashes left in.
std::string without_escapes(const std::string& line) {
    std::string plain;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\'))
            ++i;
        plain += line[i];
    }
    return plain;
}

struct Comparison {
    int equal = 0;
    int allowed = 0;
    int different = 0;
};

void compare_line(const std::string& name, const std::string& given, std::ifstream& wanted,
                  Comparison& result) {
    std::string line;
    if (!std::getline(wanted, line))
        line = "(nothing)";
    line = without_escapes(line);
    if (given == line) {
        ++result.equal;
    } else if (is_allowed(name, line)) {
        ++result.allowed;
    } else if (++result.different <= kShownDifferences) {
        std::printf("%s:\n  given  %s\n  wanted %s\n", name.c_str(), given.c_str(), line.c_str());
    }
}

os::UniqueFd open_capture(const std::string& path) {
    return os::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// What the reader gives of a capture, as our writer writes it.
os::UniqueFd written_anew(const std::string& path, capture::Packing packing) {
    os::UniqueFd file(memfd_create("capture", MFD_CLOEXEC));
    capture::Writer writer(file.get(), packing);
    state::StateTracker lists;
    capture::Reader reader(open_capture(path), lists);
    bool good = true;
    while (const auto event = reader.next()) {
        if (event->num == 1)
            good &= writer.begin(reader.machine(), lists).has_value();
        good &= writer.add(event->view, event->cpu).has_value();
    }
    good &= writer.finish().has_value() && lseek(file.get(), 0, SEEK_SET) == 0;
    return good ? std::move(file) : os::UniqueFd();
}

bool compare(os::UniqueFd capture, const std::string& text_path, const char* how) {
    const std::string name = text_path.substr(text_path.rfind('/') + 1) + how;
    std::ifstream wanted(text_path);
    std::string header;
    std::getline(wanted, header);
    const std::size_t start = header.find('%');
    filter::Fields fields;
    filter::Format::Problem problem;
    const auto format = filter::Format::compile(
        std::string_view(header).substr(start == std::string::npos ? 0 : start), fields, problem);
    if (start == std::string::npos || !format) {
        std::printf("%s: no usable format in its first line: %s\n", name.c_str(),
                    problem.message.c_str());
        return false;
    }
    state::StateTracker engine({}, {.cwd_from_exec = false});
    capture::Reader reader(std::move(capture), engine);
    filter::EventFields event_fields(fields, engine);
    Comparison result;
    std::string given;
    while (const auto event = reader.next()) {
        event_fields.set(event->view, event->num, event->cpu,
                         engine.apply(event->view, event->cpu));
        if (!is_printed(event->view))
            continue;
        given.clear();
        format->render(event_fields, given);
        compare_line(name, given, wanted, result);
    }
    for (std::string rest; std::getline(wanted, rest);)
        if (++result.different <= kShownDifferences)
            std::printf("%s:\n  given  (nothing)\n  wanted %s\n", name.c_str(), rest.c_str());
    std::printf("%s: %d lines equal, %d differ as allowed, %d differ\n", name.c_str(), result.equal,
                result.allowed, result.different);
    if (!reader.error().empty())
        std::printf("%s: %s\n", name.c_str(), reader.error().c_str());
    return result.different == 0 && result.equal > 0 && reader.error().empty();
}

} // namespace

int main() {
    setenv("TZ", "UTC", 1); // the zone that Falco ran in
    const std::string folder = TIERCEL_PEER_DIR;
    if (!std::ifstream(folder + "/curl_google.scap")) {
        std::printf("SKIP: the peer's captures are not in %s\n", folder.c_str());
        return kSkipped;
    }
    bool good = true;
    for (const std::string base : {"curl_google", "single_ipv6_conn"})
        for (const char* kind : {".events.txt", ".fields.txt"}) {
            const std::string path = folder + '/' + base + ".scap";
            const std::string text = folder + '/' + base + kind;
            good &= compare(open_capture(path), text, "");
            good &= compare(written_anew(path, capture::Packing::plain), text, " (rewritten)");
            good &= compare(written_anew(path, capture::Packing::gzip), text, " (packed)");
        }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
